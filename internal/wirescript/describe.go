package wirescript

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/pgweir/pgweir/wire"
)

// describe shows what of a message from a server must be the same whichever way it
// came: not process numbers and keys, not where in PostgreSQL's source an error was
// raised, not the number of a table. What it cannot read it shows whole.
func describe(typ byte, body []byte) string {
	r := &reader{rest: body}
	text := r.message(typ)
	if r.bad || len(r.rest) > 0 {
		text = show(body)
	}

	return strings.TrimRight(string(typ)+" "+text, " ")
}

// message reads a message of a type.
func (r *reader) message(typ byte) string {
	switch typ {
	case wire.ReadyForQuery:
		return string(r.take(1))
	case wire.CommandComplete:
		return strconv.Quote(r.cstring())
	case wire.DataRow:
		return r.row()
	case wire.RowDescription:
		return r.columns()
	case wire.ParameterDescription:
		return strings.Trim(fmt.Sprint(r.list(4)), "[]")
	case wire.ErrorResponse, wire.NoticeResponse:
		return r.fields()
	case wire.ParameterStatus:
		return r.setting()
	case wire.NotificationResponse:
		r.take(4)

		return r.cstring() + " " + strconv.Quote(r.cstring())
	case wire.CopyInResponse, wire.CopyOutResponse, wire.CopyBothResponse:
		return fmt.Sprintf("format=%d columns=%v", r.number(1), r.list(2))
	case wire.FunctionCallResponse:
		return r.value()
	case wire.CopyData:
		return show(r.take(len(r.rest)))
	}

	return r.startMessage(typ)
}

// setting reads a ParameterStatus. Which PostgreSQL it is does not matter.
func (r *reader) setting() string {
	name, value := r.cstring(), r.cstring()
	if name == "server_version" {
		value = "..."
	}

	return name + "=" + strconv.Quote(value)
}

// startMessage reads a message of the start of a session.
func (r *reader) startMessage(typ byte) string {
	switch typ {
	case 'R':
		text := strconv.Itoa(r.number(4))
		r.take(len(r.rest)) // challenges

		return text
	case 'K':
		return fmt.Sprintf("with %d bytes", len(r.take(len(r.rest)))-4)
	case 'v':
		text := fmt.Sprintf("%d.%d", r.number(2), r.number(2))
		for range r.number(4) {
			text += " " + r.cstring()
		}

		return text
	}

	return show(r.take(len(r.rest)))
}

// show quotes a value. A long one is cut, with its length and checksum behind it.
func show(b []byte) string {
	const longest, head = 200, 20
	if len(b) == 0 {
		return ""
	}
	if len(b) <= longest {
		return strconv.Quote(string(b))
	}

	return fmt.Sprintf("%q... (%d bytes, CRC %08x)", b[:head], len(b), crc32.ChecksumIEEE(b))
}

// A reader reads the body of a message. Once it has run out of bytes it is bad and
// reads zeros.
type reader struct {
	rest []byte
	bad  bool
}

// take takes n bytes.
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.bad = true

		return make([]byte, max(0, min(n, 8)))
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]

	return b
}

// number takes a number of some bytes; one of 2 or 4 has a sign.
func (r *reader) number(size int) int {
	b := r.take(size)
	switch size {
	case 1:
		return int(b[0])
	case 2:
		return int(int16(binary.BigEndian.Uint16(b)))
	}

	return int(int32(binary.BigEndian.Uint32(b)))
}

// count takes the count of something. 65 535 is as many as there may be of some.
func (r *reader) count() int { return int(binary.BigEndian.Uint16(r.take(2))) }

// list takes a count, and as many numbers.
func (r *reader) list(size int) []int {
	var list []int
	for range r.count() {
		if r.bad {
			break
		}
		list = append(list, r.number(size))
	}

	return list
}

// cstring takes a string.
func (r *reader) cstring() string {
	s, rest, found := bytes.Cut(r.rest, []byte{0})
	if !found {
		r.bad = true
	}
	r.rest = rest

	return string(s)
}

// value takes a value with its length.
func (r *reader) value() string {
	n := r.number(4)
	switch n {
	case -1:
		return null
	case 0:
		return `""`
	}

	return show(r.take(n))
}

// row reads a DataRow.
func (r *reader) row() string {
	var list []string
	for range r.count() {
		if r.bad {
			break
		}
		list = append(list, r.value())
	}

	return strings.Join(list, " ")
}

// columns reads a RowDescription: of each column the name, the type and what is not as
// usual.
func (r *reader) columns() string {
	var list []string
	for range r.count() {
		if r.bad {
			break
		}
		name, table, column := r.cstring(), r.number(4), r.number(2)
		oid, size, modifier, format := r.number(4), r.number(2), r.number(4), r.number(2)
		text := fmt.Sprintf("%s:%d/%d", name, oid, size)
		if table != 0 {
			text += fmt.Sprintf("/column=%d", column)
		}
		if modifier != -1 {
			text += fmt.Sprintf("/modifier=%d", modifier)
		}
		if format != 0 {
			text += fmt.Sprintf("/format=%d", format)
		}
		list = append(list, text)
	}

	return strings.Join(list, " ")
}

// fieldNames are the names of the fields of errors and notices that are shown with
// theirs. S is V in the server's language; F, L and R say where in its source it is.
var fieldNames = map[byte]string{
	'D': "detail", 'H': "hint", 'P': "position", 'p': "internal position", 'q': "internal query", 'W': "where",
	's': "schema", 't': "table", 'c': "column", 'd': "type", 'n': "constraint",
	'S': "", 'F': "", 'L': "", 'R': "",
}

// fields reads an error or a notice.
func (r *reader) fields() string {
	var list []string
	for !r.bad {
		field := r.take(1)[0]
		if field == 0 {
			break
		}
		value := r.cstring()
		switch name, known := fieldNames[field]; {
		case field == 'V' || field == 'C':
			list = append(list, value)
		case field == 'M':
			list = append(list, strconv.Quote(value))
		case !known:
			list = append(list, fmt.Sprintf("%c=%q", field, value))
		case name != "":
			list = append(list, fmt.Sprintf("%s=%q", name, value))
		}
	}

	return strings.Join(list, " ")
}
