package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgproto3"
)

func TestErrorAppend(t *testing.T) {
	t.Parallel()
	e := Fatalf(CodeTooManyConnections, "too many clients for %s", "shop").WithDetail("100 are here.").WithHint("Wait.")

	frame := e.Append([]byte("before"))[len("before"):]

	h, ok := PeekHeader(frame)
	if !ok || h.Type != ErrorResponse || h.Size != len(frame) {
		t.Fatalf("header is %+v of a frame of %d bytes", h, len(frame))
	}
	var got pgproto3.ErrorResponse
	if err := got.Decode(frame[HeaderSize:]); err != nil {
		t.Fatal(err)
	}
	want := pgproto3.ErrorResponse{
		Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "53300",
		Message: "too many clients for shop", Detail: "100 are here.", Hint: "Wait.", Routine: "pgweir",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorAppendLeavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	frame := Errorf(CodeQueryCanceled, "gone").Append(nil)
	const want = "E\x00\x00\x00\x28SERROR\x00VERROR\x00C57014\x00Mgone\x00Rpgweir\x00\x00"
	if diff := cmp.Diff(want, string(frame)); diff != "" {
		t.Error(diff)
	}
}

func TestErrorCannotBeSplitByItsText(t *testing.T) {
	t.Parallel()
	hostile := &Error{Severity: "ERROR", Code: "XX000", Message: "a\x00C28000\x00", Hint: "\x00"}
	got, err := ParseError(hostile.Append(nil)[HeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Error{Severity: "ERROR", Code: "XX000", Message: "aC28000"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorMessageIsCleaned(t *testing.T) {
	t.Parallel()
	e := Fatalf(CodeInvalidPassword, "user %s", "a\x00b\nc\x1b[31m\u0085d\xff é").WithHint("x\ny")
	if want := "user abc[31md\uFFFD é"; e.Message != want {
		t.Errorf("message is %q, want %q", e.Message, want)
	}
	if e.Hint != "xy" {
		t.Errorf("hint is %q", e.Hint)
	}
}

func TestWithHintCopies(t *testing.T) {
	t.Parallel()
	e := Errorf(CodeSystemError, "m")
	if with := e.WithHint("h"); e.Hint != "" || with.Hint != "h" {
		t.Errorf("original has hint %q, copy %q", e.Hint, with.Hint)
	}
}

func TestParseError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		body string
		want *Error // nil: an error is wanted
	}{
		{
			"all", "SFATAL\x00VFATAL\x00C57P03\x00Mstarting\x00Dd\x00Hh\x00Fx.c\x00L1\x00Rr\x00\x00",
			&Error{Severity: "FATAL", Code: "57P03", Message: "starting", Detail: "d", Hint: "h"},
		},
		{"V wins before S", "VFATAL\x00SFATALE\x00\x00", &Error{Severity: "FATAL"}},
		{"V wins after S", "SFATALE\x00VFATAL\x00\x00", &Error{Severity: "FATAL"}},
		{"S alone", "SPANIC\x00\x00", &Error{Severity: "PANIC"}},
		{"no SQLSTATE", "SERROR\x00Moops\x00\x00", &Error{Severity: "ERROR", Message: "oops"}},
		{"unknown field", "?x\x00Mm\x00\x00", &Error{Message: "m"}},
		{"empty", "", &Error{}},
		{"no terminator", "Mm\x00", &Error{Message: "m"}},
		{"bytes after the terminator", "Mm\x00\x00Cx\x00", &Error{Message: "m"}},
		{"unterminated field", "Mm\x00Cx", nil},
		{"field without value", "M", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseError([]byte(tt.body))
			if (err != nil) != (tt.want == nil) {
				t.Fatalf("error is %v", err)
			}
			if err != nil && !errors.Is(err, ErrProtocol) {
				t.Errorf("error %v does not wrap ErrProtocol", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorFatal(t *testing.T) {
	t.Parallel()
	for severity, want := range map[string]bool{
		"FATAL": true, "PANIC": true, "ERROR": false, "WARNING": false, "": false,
	} {
		if got := (&Error{Severity: severity}).Fatal(); got != want {
			t.Errorf("Fatal of %q is %v", severity, got)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("log in: %w", Fatalf(CodeInvalidPassword, "no"))
	if want := "log in: FATAL: no (SQLSTATE 28P01)"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if got := (&Error{Severity: "ERROR", Message: "m"}).Error(); got != "ERROR: m" {
		t.Errorf("without a SQLSTATE: %q", got)
	}
}

// FuzzError checks that whatever a server sends as an error is an error or can be
// sent on, and that text of ours cannot break a message.
func FuzzError(f *testing.F) {
	f.Add([]byte("SFATAL\x00VFATAL\x00C57P03\x00Mstarting\x00\x00"))
	f.Add([]byte("Mno code\x00\x00"))
	f.Add([]byte("Munterminated"))
	f.Add([]byte{})
	f.Add(Errorf(CodeSystemError, "x").WithDetail("d").WithHint("h").Append(nil)[HeaderSize:])
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := ParseError(body)
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Fatalf("error %v does not wrap ErrProtocol", err)
			}

			return
		}
		again, err := ParseError(e.Append(nil)[HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Fatal(diff)
		}

		message := Errorf(CodeSystemError, "%s", body).Message
		if !utf8.ValidString(message) || strings.ContainsFunc(message, unicode.IsControl) {
			t.Fatalf("message %q is not clean", message)
		}
	})
}
