package config

import (
	"fmt"
	"strconv"
	"strings"
)

// words is a list of strings, or one string with commas.
func words() kind[[]string] {
	return list("list of strings", `a list of strings, such as ["a", "b"]`,
		func(s string) (string, bool) { return s, s != "" }, func(s string) string { return s })
}

// fingerprints is a list of fingerprints of statements.
func fingerprints() kind[[]uint64] {
	return list("list of fingerprints", `a list of fingerprints, such as ["0123456789abcdef"]`,
		func(s string) (uint64, bool) {
			n, err := strconv.ParseUint(s, 16, 64)
			return n, err == nil && len(s) == 16
		},
		func(n uint64) string { return fmt.Sprintf("%016x", n) })
}

// list is a list of what read takes and show writes.
func list[V any](name, want string, read func(string) (V, bool), show func(V) string) kind[[]V] {
	texts := func(all []V, quote func(string) string) string {
		shown := make([]string, len(all))
		for i, v := range all {
			shown[i] = quote(show(v))
		}
		return strings.Join(shown, ", ")
	}
	return kind[[]V]{
		name: name,
		want: want,
		parse: func(raw any) ([]V, error) {
			items, ok := itemsOf(raw)
			if !ok {
				return nil, mismatch(want, raw)
			}
			var all []V
			for _, item := range items {
				s, _ := item.(string)
				v, ok := read(s)
				if !ok {
					return nil, mismatch(want, item)
				}
				all = append(all, v)
			}
			return all, nil
		},
		print:   func(all []V) string { return texts(all, func(s string) string { return s }) },
		literal: func(all []V) string { return "[" + texts(all, strconv.Quote) + "]" },
	}
}

// itemsOf returns the items of a list, or of one string with commas.
func itemsOf(raw any) ([]any, bool) {
	switch v := raw.(type) {
	case []any:
		return v, true
	case string:
		var items []any
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				items = append(items, part)
			}
		}
		return items, true
	}
	return nil, false
}
