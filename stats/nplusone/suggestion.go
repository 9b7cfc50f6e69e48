package nplusone

import (
	"fmt"
	"math/bits"
	"strings"
)

// suggest says what to do about a loop, in the words of the framework if its name is in
// the tags.
func suggest(l *loop, framework string) string {
	switch l.kind {
	case KindNPlusOne:
		return eager(framework) + batch(l.first, l.confidence) + alongside(l.slots)
	case KindDuplicate:
		return "Ask once and keep the result for the rest of the request."
	case KindWriteLoop:
		return "Write all rows with one statement: VALUES with several rows, or unnest($1, ...); COPY for many." +
			alongside(l.slots)
	case KindRecursive:
		return "Each result leads to the next statement: use WITH RECURSIVE for a tree, larger pages for a list."
	}

	return "Many executions of the same statement; tags with a request id would tell whether they are a loop."
}

// alongside mentions the other statements of the same loop.
func alongside(loop set) string {
	switch others := bits.OnesCount32(uint32(loop)) - 1; others {
	case 0:
		return ""
	case 1:
		return " The loop runs one more statement."
	default:
		return fmt.Sprintf(" The loop runs %d more statements.", others)
	}
}

// batch is how the child asks for all rows at once, without a framework.
func batch(s *slot, c Confidence) string {
	if s.parent == nil { // and so it is not known which parameter is the row's
		return "Ask for all rows with one statement: = ANY(all values) instead of = one value."
	}
	parameter := fmt.Sprintf("$%d", s.param+1)
	column := ""
	if int(s.param) < len(s.st.Columns) {
		column = s.st.Columns[s.param]
	}
	if column == "" {
		return fmt.Sprintf("Ask for all rows with one statement: = ANY(%s) instead of = %s.", parameter, parameter)
	}
	all := fmt.Sprintf("Ask for all rows with one statement: WHERE %s = ANY(%s)", column, parameter)
	table, _, ok := strings.Cut(column, ".")
	from := s.parent.st.column(int(s.column))
	if c != Proven || !ok || !strings.Contains(from, ".") {
		return all + "."
	}

	return fmt.Sprintf("%s, or JOIN %s ON %s = %s.", all, table, column, from)
}

// eager is the framework's way to load what belongs to the rows of a list along with
// them; "" for a framework that is not known.
func eager(framework string) string {
	name := strings.ToLower(framework)
	for _, f := range [...]struct{ name, hint string }{
		{"django", "select_related() for one row, prefetch_related() for many"},
		{"rails", "includes() or preload()"},
		{"active_record", "includes() or preload()"},
		{"sqlalchemy", "options(selectinload(...))"},
		{"hibernate", "JOIN FETCH or @BatchSize"},
		{"gorm", `Preload("...")`},
		{"ecto", "preload"},
		{"laravel", "with()"},
		{"prisma", "include"},
		{"typeorm", "relations, or leftJoinAndSelect()"},
	} {
		if strings.Contains(name, f.name) {
			return "Load the rows along with the list: " + f.hint + ". "
		}
	}

	return ""
}
