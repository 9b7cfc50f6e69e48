// Package pgweir holds the tests of the repository as a whole: that its packages
// keep to the floor plan of docs/architecture.md and to the rules of the house. The
// product is in the packages below.
package pgweir

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path of this module.
const module = "github.com/pgweir/pgweir"

// A room is what one package may import besides the standard library. A package is
// not listed among its own imports, and what is not listed is not allowed.
type room struct {
	ours   []string // packages of this module
	theirs []string // packages of others, with all below them
	tests  []string // packages of this module that only its tests import
	why    string   // the reason, for whoever meets the rule
}

// floorPlan is who may import whom, by package. Nothing imports upwards, and siblings
// do not import each other. Three rooms are planned and not built yet: admin, analyze
// and cache.
func floorPlan() map[string]room {
	const (
		cmp, pgx, pgproto3 = "github.com/google/go-cmp", "github.com/jackc/pgx/v5", "github.com/jackc/pgx/v5/pgproto3"
		prometheus, zap    = "github.com/prometheus/client_golang", "go.uber.org/zap"
		prometheusModel    = "github.com/prometheus/client_model"
		sys, toml          = "golang.org/x/sys", "github.com/BurntSushi/toml"
		postgres           = "internal/postgres"
	)

	return map[string]room{
		"cmd/pgweir": {
			ours: []string{
				"admin", "analyze", "cache", "config", postgres, "internal/reactor", "meter", "pool", "proxy", "sqltext",
				"stats", "stats/nplusone", "web", "wire",
			},
			theirs: []string{zap},
			why:    "the command puts everything together, and nobody else does",
		},
		"admin": {
			ours: []string{"cache", "config", "pool", "proxy", "stats", "stats/nplusone", "wire"}, theirs: []string{zap},
			why: "the console shows and steers what runs; nothing that runs knows of it",
		},
		"web": {
			ours:   []string{"cache", "internal/reactor", "meter", "pool", "proxy", "stats", "stats/nplusone"},
			theirs: []string{prometheus, prometheusModel, zap},
			tests:  []string{"config"}, // of a proxy to look at
			why:    "the pages pull snapshots, of the loops too; nothing that runs knows of them",
		},
		"proxy": {
			ours:   []string{"cache", "config", "internal/reactor", "meter", "pool", "sqltext", "stats", "wire"},
			theirs: []string{zap},
			tests:  []string{"stats/nplusone"}, // what was found
			why:    "the path of a client uses what is below it and is used by those who look at it",
		},
		"pool": {
			ours: []string{"internal/reactor", "wire"}, theirs: []string{"github.com/jackc/puddle/v2", zap},
			why: "a pool keeps servers; it knows neither clients nor settings nor statistics",
		},
		"cache": {
			ours: []string{"sqltext", "wire"},
			theirs: []string{
				zap, "github.com/maypok86/otter/v2", "github.com/redis/go-redis/v9", "github.com/wasilibs/go-pgquery",
			},
			why: "a cache is given bytes and keys; whose they are is the proxy's business",
		},
		"meter": {
			ours: []string{"sqltext", "stats", "stats/nplusone"}, theirs: []string{zap},
			why: "it is told what passes, and tells those who count it; it knows neither messages nor connections",
		},
		"stats": {
			ours: []string{"sqltext"}, theirs: []string{prometheus},
			why: "statistics are told numbers and strings; they hold on to nothing of the path of a query",
		},
		"stats/nplusone": {
			why: "the detector is told what was executed and does no I/O; it translates nobody's types but its own",
		},
		"analyze": {
			ours: []string{"sqltext"}, theirs: []string{pgx, "github.com/wasilibs/go-pgquery"},
			why: "the analysis has a connection of its own and nothing to do with those of clients",
		},
		"wire": {
			theirs: []string{pgproto3, "golang.org/x/text/unicode/norm"},
			why:    "the protocol is read and written over any connection; wire knows neither loops nor settings",
		},
		"sqltext": {why: "the lexer is a leaf: the standard library is all it needs"},
		"config": {
			theirs: []string{toml},
			why:    "settings are plain values; who uses them translates them",
		},
		"internal/reactor": {
			theirs: []string{sys},
			why:    "the loops know nothing of PostgreSQL, and log nothing",
		},
		postgres: {why: "a PostgreSQL to throw away, for the command and for tests"},
		"internal/postgres/pgtest": {
			ours: []string{postgres, "internal/skiptest"},
			why:  "the same for tests, with the testing package",
		},
		"internal/skiptest": {why: "any test may have to be skipped"},
		"internal/reactor/reactortest": {
			ours: []string{"internal/reactor"},
			why:  "loops for tests",
		},
		"internal/wirescript": {
			ours: []string{"wire"},
			why:  "conversations of clients with PostgreSQL, for tests",
		},
		"integration": {
			ours: []string{"config", "integration/clienttest", postgres, postgres + "/pgtest", "wire"}, theirs: []string{cmp, pgx, sys, toml},
			why: "what is integrated is the built binary, from outside",
		},
	}
}

// forTests is what test files may import besides, in every package.
func forTests() room {
	return room{
		ours: []string{
			"internal/postgres", "internal/postgres/pgtest", "internal/reactor/reactortest", "internal/skiptest",
			"internal/wirescript",
		},
		theirs: []string{"github.com/google/go-cmp", "github.com/jackc/pgx/v5", "go.uber.org/zap"},
	}
}

// roomOf returns the rules for a package. All of integration is one room.
func roomOf(pkg string) (room, bool) {
	if strings.HasPrefix(pkg, "integration/") {
		pkg = "integration"
	}
	r, ok := floorPlan()[pkg]

	return r, ok
}

// complain says what is wrong with an import, or returns "".
func complain(pkg, imported string, test bool) string {
	r, known := roomOf(pkg)
	if !known && pkg != "" { // "": these tests
		return fmt.Sprintf("package %s is not in the floor plan: give it a row in arch_test.go and docs/architecture.md", pkg)
	}
	allowed := func(r room) bool { return r.allows(pkg, imported) }
	if allowed(r) || test && (allowed(forTests()) || allowed(room{ours: r.tests})) {
		return ""
	}

	return fmt.Sprintf("%s must not import %s: %s", pkg, imported, r.why)
}

// allows reports whether the package pkg, whose room this is, may import another.
func (r room) allows(pkg, imported string) bool {
	inside := func(dir string) bool { return imported == dir || strings.HasPrefix(imported, dir+"/") }
	first, _, _ := strings.Cut(imported, "/")
	switch own, ours := strings.CutPrefix(imported, module+"/"); {
	case ours:
		return own == pkg || slices.Contains(r.ours, own) // a package is imported by its own tests
	case strings.Contains(first, "."):
		return slices.ContainsFunc(r.theirs, inside)
	}

	return true // the standard library
}

// A source is one Go file of the repository.
type source struct {
	path  string // from the root
	pkg   string // the folder
	test  bool
	file  *ast.File
	lines int
}

// sources parses all Go files of the module.
func sources(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && foreign(name):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		pkg := path.Dir(name)
		if pkg == "." {
			pkg = ""
		}
		all = append(all, source{
			path: name, pkg: pkg, test: strings.HasSuffix(name, "_test.go"),
			file: file, lines: fset.File(file.Pos()).LineCount(),
		})

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	return fset, all
}

// foreign reports whether a folder holds nothing of this module.
func foreign(dir string) bool {
	base := filepath.Base(dir)
	if dir == "." {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))

	return err == nil || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
}

func TestImportsKeepToTheFloorPlan(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		for _, spec := range s.file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if c := complain(s.pkg, imported, s.test); c != "" {
				t.Errorf("%s: %s", fset.Position(spec.Pos()), c)
			}
		}
	}
}

func TestFloorPlanForbids(t *testing.T) {
	const ours = module + "/"
	tests := []struct {
		name, pkg, imported string
		test                bool
		forbidden           bool
	}{
		{"downwards", "proxy", ours + "pool", false, false},
		{"upwards", "pool", ours + "proxy", false, true},
		{"upwards, in a test", "pool", ours + "proxy", true, true},
		{"a sibling", "stats", ours + "pool", false, true},
		{"settings", "pool", ours + "config", false, true},
		{"a package above its prefix", "internal/reactor", ours + "internal/reactortest", false, true},
		{"the standard library", "sqltext", "strings", false, false},
		{"a module of its own", "pool", "github.com/jackc/puddle/v2", false, false},
		{"another's module", "proxy", "github.com/jackc/puddle/v2", false, true},
		{"a part of a module", "wire", "github.com/jackc/pgx/v5/pgproto3", false, false},
		{"another part of it", "wire", "github.com/jackc/pgx/v5/pgconn", false, true},
		{"that part, in a test", "wire", "github.com/jackc/pgx/v5/pgconn", true, false},
		{"logging from below", "internal/reactor", "go.uber.org/zap", false, true},
		{"what its tests import", "web", ours + "config", false, true},
		{"what its tests import, in one", "web", ours + "config", true, false},
		{"what is for tests", "proxy", ours + "internal/postgres", false, true},
		{"what is for tests, in one", "proxy", ours + "internal/postgres", true, false},
		{"a test of what is integrated", "integration/bench", ours + "internal/postgres", false, false},
		{"what nobody imports", "cmd/pgweir", ours + "integration/bench", false, true},
		{"an unknown package", "util", "strings", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if c := complain(tt.pkg, tt.imported, tt.test); (c != "") != tt.forbidden {
				t.Errorf("%s importing %s: %q", tt.pkg, tt.imported, c)
			}
		})
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	_, all := sources(t)
	documented := make(map[string]bool)
	for _, s := range all {
		name, doc := s.file.Name.Name, s.file.Doc.Text()
		if name == "main" {
			documented[s.pkg] = documented[s.pkg] || strings.HasPrefix(doc, "Command "+path.Base(s.pkg)+" ")
		} else {
			documented[s.pkg] = documented[s.pkg] || strings.HasPrefix(doc, "Package "+name+" ")
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment that says what it is for; put it into doc.go", pkg)
		}
	}
}

func TestOnlyMainEndsTheProcess(t *testing.T) {
	fset, all := sources(t)
	endings := []string{"os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "syscall.Exit"}
	for _, s := range all {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && (f.Name.Name == "main" || s.test && f.Name.Name == "TestMain") {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if name := qualified(n); slices.Contains(endings, name) {
					t.Errorf("%s: %s: return an error instead; only a main function ends the process, "+
						"after all that was deferred", fset.Position(n.Pos()), name)
				}

				return true
			})
		}
	}
}

// qualified returns a name such as os.Exit as it is written, or "" for another node.
func qualified(n ast.Node) string {
	selector, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	pkg, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}

	return pkg.Name + "." + selector.Sel.Name
}

func TestProductDoesNotImportTesting(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		if s.test || strings.HasSuffix(s.pkg, "test") {
			continue
		}
		for _, spec := range s.file.Imports {
			if spec.Path.Value == `"testing"` {
				t.Errorf("%s: package testing belongs into tests, and into packages for them, named ...test",
					fset.Position(spec.Pos()))
			}
		}
	}
}

// TestSkipsAreTold holds that whoever runs the tests learns which were skipped, and why.
func TestSkipsAreTold(t *testing.T) {
	const teller = "internal/skiptest"
	fset, all := sources(t)
	skips := []string{"Skip", "Skipf", "SkipNow"}
	for _, s := range all {
		if s.pkg == teller {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			receiver, name, _ := strings.Cut(qualified(call.Fun), ".")
			if slices.Contains(skips, name) && receiver != path.Base(teller) {
				t.Errorf("%s: call Skip of %s instead: go test shows the reason only with -v", fset.Position(n.Pos()), teller)
			}

			return true
		})
	}
}

// TestSizes prints what is longer than the rest of the code; with -v it can be read.
// Length is a hint, not an error.
func TestSizes(t *testing.T) {
	const longFile, longFunction = 600, 80
	fset, all := sources(t)
	for _, s := range all {
		if s.test {
			continue
		}
		if s.lines > longFile {
			t.Logf("%s has %d lines: more than one room?", s.path, s.lines)
		}
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			begin, end := fset.Position(f.Pos()), fset.Position(f.End())
			if n := end.Line - begin.Line + 1; n > longFunction {
				t.Logf("%s: %s has %d lines", begin, f.Name.Name, n)
			}
		}
	}
}
