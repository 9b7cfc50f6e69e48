package sqltext_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pgweir/pgweir/sqltext"
)

func ExampleNormalise() {
	text := []byte("select id AS key from Users where email = 'a@example.com' and id IN (1, 2, 3) -- now")
	fmt.Println(sqltext.Fingerprint(text, sqltext.Options{}))
	fmt.Println(sqltext.Normalise(text, sqltext.Options{}))
	// Output:
	// c1c0d731b8dba134
	// SELECT id FROM users WHERE email = $1 AND id IN ($2)
}

// Traits are what a pooler wants to know of a text before it gives the server to
// somebody else.
type traits struct {
	suspect  bool     // it may leave something that its CommandComplete does not tell of
	local    bool     // it is a SET that ends with the transaction, and nothing else
	unnamed  bool     // it sets what has no name in it
	names    []string // of the application's own settings
	discards bool     // it may take prepared statements away
	all      bool     // it takes all of them away, and does nothing else
}

// traitsOf is all that is needed to find them. It allocates for the names only.
func traitsOf(text []byte) traits {
	facts := sqltext.Look(text, sqltext.Options{})
	const left = sqltext.SetsConfig | sqltext.AdvisoryLock | sqltext.Creates | sqltext.SelectInto | sqltext.Unreadable
	t := traits{
		suspect:  facts.Effects.Has(left),
		local:    facts.Only(sqltext.Set) && facts.Effects.Has(sqltext.SetsLocal),
		unnamed:  facts.Effects.Has(sqltext.UnnamedSetting),
		discards: facts.Effects.Has(sqltext.Discards | sqltext.Deallocates),
		all:      facts.Statements == 1 && facts.Effects.Has(sqltext.DiscardsAll|sqltext.DeallocatesAll),
	}
	if facts.Effects.Has(sqltext.OwnSetting) {
		for _, name := range sqltext.DetailsOf(text, sqltext.Options{}).Settings {
			if strings.Contains(name, ".") {
				t.names = append(t.names, name)
			}
		}
	}

	return t
}

func ExampleLook() {
	for _, text := range []string{
		"SELECT abalance FROM pgbench_accounts WHERE aid = 1",
		"SET LOCAL app.tenant = '1'",
		"SELECT set_config('app.tenant', '1', false)",
		"BEGIN; SELECT pg_advisory_lock(1); COMMIT",
		"DISCARD ALL",
	} {
		fmt.Printf("%+v\n", traitsOf([]byte(text)))
	}
	// Output:
	// {suspect:false local:false unnamed:false names:[] discards:false all:false}
	// {suspect:false local:true unnamed:false names:[app.tenant] discards:false all:false}
	// {suspect:true local:false unnamed:false names:[app.tenant] discards:false all:false}
	// {suspect:true local:false unnamed:false names:[] discards:false all:false}
	// {suspect:false local:false unnamed:false names:[] discards:true all:true}
}

// A text may hold several statements, each with its own tags.
func ExampleScanner() {
	text := []byte("/*route='%2Fusers'*/ UPDATE users SET seen = now() WHERE id = 7; COMMIT")
	var s sqltext.Scanner
	for s.Init(text, sqltext.Options{}); s.Next(); {
		st := s.Statement()
		fmt.Printf("%v %q %v\n", st.Kind, bytes.TrimSpace(text[st.Start:st.End]), st.Tags(nil, text))
	}
	// Output:
	// update "/*route='%2Fusers'*/ UPDATE users SET seen = now() WHERE id = 7" [{route /users}]
	// commit "COMMIT" []
}
