package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	// tick is the shortest time a setting may ask for. It is also what catches a
	// number that was meant in another unit.
	tick = time.Millisecond

	// maxDuration bounds durations to what surely fits when they are added to a
	// time: ten years.
	maxDuration = 10 * 365 * 24 * time.Hour
)

// durationRange is what a duration may be.
type durationRange struct {
	least time.Duration // the shortest that is not 0
	zero  bool          // 0 is allowed

	// unit refuses a bare number, because PgBouncer's unit of this setting is not
	// the second.
	unit bool
}

// timeout is a duration that 0 turns off.
func timeout() kind[time.Duration] { return duration(durationRange{least: tick, zero: true}) }

// pause is a duration that must not be 0.
func pause() kind[time.Duration] { return duration(durationRange{least: tick}) }

// kernelSeconds is a duration that the kernel takes in whole seconds; 0 leaves it
// to the kernel.
func kernelSeconds() kind[time.Duration] {
	return duration(durationRange{least: time.Second, zero: true})
}

// milliseconds is a duration that PgBouncer takes in milliseconds: it needs a unit
// here. 0 leaves it to the kernel.
func milliseconds() kind[time.Duration] {
	return duration(durationRange{least: tick, zero: true, unit: true})
}

// duration is a time span within the range: a string with a unit, or a bare number
// of seconds as in PgBouncer.
func duration(r durationRange) kind[time.Duration] {
	want := r.want()
	return kind[time.Duration]{
		name: "duration",
		want: want,
		parse: func(raw any) (time.Duration, error) {
			d, ok := r.read(raw)
			if !ok || !r.holds(d) {
				return 0, mismatch(want, raw)
			}
			return d, nil
		},
		fromText: func(s string) any {
			if n, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
				return n
			}
			return strings.TrimSpace(s)
		},
		print:   formatDuration,
		literal: durationLiteral,
	}
}

// want says what the range accepts.
func (r durationRange) want() string {
	want := "a duration from " + r.least.String() + " to 10 years"
	if r.zero {
		want = "0 or " + want
	}
	if r.unit {
		return want + ` with its unit, such as "500ms" or "30s"`
	}
	return want + `, such as "30s", "1m30s" or a number of seconds`
}

// holds reports whether d is within the range.
func (r durationRange) holds(d time.Duration) bool {
	return d == 0 && r.zero || d >= r.least && d <= maxDuration
}

// read takes a duration from a string with a unit or from a number of seconds. It
// refuses what is so short that it would become 0, which means something else.
func (r durationRange) read(raw any) (time.Duration, bool) {
	switch v := raw.(type) {
	case string:
		d, err := time.ParseDuration(v)
		lost := d == 0 && strings.ContainsAny(v, "123456789")
		return d, err == nil && !lost
	case int64:
		return r.seconds(float64(v))
	case float64:
		return r.seconds(v)
	}
	return 0, false
}

// seconds converts a bare number. It refuses what no time.Duration can hold, which
// includes the infinities and NaN that TOML has.
func (r durationRange) seconds(n float64) (time.Duration, bool) {
	if r.unit && n != 0 || !(math.Abs(n) <= maxDuration.Seconds()) {
		return 0, false
	}
	d := time.Duration(math.Round(n * float64(time.Second)))
	return d, (d == 0) == (n == 0)
}

// formatDuration prints whole seconds as such ("120s"), because that is how people
// know the defaults from PgBouncer, and 0 without a unit.
func formatDuration(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d%time.Second == 0:
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	default:
		return d.String()
	}
}

// durationLiteral prints a duration as TOML: a string, or the number 0.
func durationLiteral(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return strconv.Quote(formatDuration(d))
}
