package config

import "time"

// Stats is the table [stats]: how statements are measured. Its rows, in
// table_stats.go, say what each setting means.
type Stats struct {
	Enabled           bool
	TrackedStatements int

	SlowStatement     time.Duration
	SlowOutlierFactor int
	SlowLogRate       int
	SlowParameters    bool
	ExplainSlow       bool
	ExplainTimeout    time.Duration

	RequestTarget         int
	RequestWarnStatements int
	RequestWarnTime       time.Duration

	NPlusOne                   bool
	NPlusOneMemory             int // megabytes
	NPlusOneIgnoreFingerprints []uint64
	NPlusOneIgnoreTables       []string
	NPlusOneIgnoreApplications []string
	NPlusOneIgnoreRoutes       []string
	NPlusOneIgnoreUsers        []string
	NPlusOneJobs               []string
}

// SlowStatement is the time from which on a statement of a database and a user is slow:
// what is set for the user, else for the database, else in [stats]. 0: none is.
func (c *Config) SlowStatement(database, user string) time.Duration {
	if u := c.Users[user]; u.SlowStatement != 0 {
		return u.SlowStatement
	}
	if db, ok := c.Database(database); ok && db.SlowStatement != 0 {
		return db.SlowStatement
	}
	return c.Stats.SlowStatement
}
