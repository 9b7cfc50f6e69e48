// Package pgtest gives tests a real PostgreSQL.
//
// Most tests share one cluster per test binary, which is started when the first of them asks for it:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestQuery(t *testing.T) {
//		url := pgtest.Cluster(t).URL(pgtest.NewDatabase(t))
//		...
//	}
//
// Tests that stop the server or need settings of their own use [Start].
//
// Where PostgreSQL is missing and cannot be installed, such tests are skipped; with REQUIRE_PG=1 in the environment
// they fail, so that a broken set-up cannot pass for a success.
package pgtest
