package config

import "time"

// This file is the table [stats].

// statsSettings returns the settings of [stats].
func statsSettings() []group {
	return []group{
		{"Statements", statementSettings()},
		{"Slow statements", slowSettings()},
		{"Requests: what an application runs between two pauses, or with the same id in its tags", requestSettings()},
		{"N+1: statements that an application runs in a loop", nplusoneSettings()},
	}
}

// statementSettings returns the rows about the figures of statements.
func statementSettings() []Setting {
	return []Setting{
		{
			Key: "enabled", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "measure statements; false: nothing in this table is done",
			binding: bind(func(s *Stats) *bool { return &s.Enabled }, boolean(), true),
		},
		{
			Key: "tracked_statements", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "statements with figures of their own; the rest is counted together",
			binding: bind(func(s *Stats) *int { return &s.TrackedStatements }, integer(1, maxTracked), 2000),
		},
	}
}

// maxTracked bounds tracked_statements: each costs some kilobytes a loop.
const maxTracked = 100_000

// slowSettings returns the rows about slow statements.
func slowSettings() []Setting {
	return []Setting{
		{
			Key: "slow_statement", Restart: true, PgBouncer: notInPgBouncer,
			Doc: "how long PostgreSQL takes for a statement that is logged as slow", Zero: "0: none is",
			binding: bind(func(s *Stats) *time.Duration { return &s.SlowStatement }, timeout(), 500*time.Millisecond),
		},
		{
			Key: "slow_outlier_factor", Restart: true, PgBouncer: notInPgBouncer,
			Doc: "slow is, too, what takes so many times its own 99th percentile", Zero: "0: it is not",
			binding: bind(func(s *Stats) *int { return &s.SlowOutlierFactor }, integer(0, 1000), 4),
		},
		{
			Key: "slow_log_rate", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "slow statements that are logged in a second; the rest is counted",
			binding: bind(func(s *Stats) *int { return &s.SlowLogRate }, integer(1, 10_000), 10),
		},
		{
			Key: "slow_parameters", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "log slow statements with their values, which may be secret",
			binding: bind(func(s *Stats) *bool { return &s.SlowParameters }, boolean(), false),
		},
		{
			Key: "explain_slow", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "log the plans of slow SELECTs, made without values in a session of their own",
			binding: bind(func(s *Stats) *bool { return &s.ExplainSlow }, boolean(), false),
		},
		{
			Key: "explain_timeout", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "how long making such a plan may take",
			binding: bind(func(s *Stats) *time.Duration { return &s.ExplainTimeout }, pause(), 2*time.Second),
		},
	}
}

// requestSettings returns the rows about requests.
func requestSettings() []Setting {
	return []Setting{
		{
			Key: "request_target", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "a request should have fewer statements than that; others are counted",
			binding: bind(func(s *Stats) *int { return &s.RequestTarget }, count(1), 20),
		},
		{
			Key: "request_warn_statements", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "a request with more statements is logged, if it has an id or is one transaction",
			binding: bind(func(s *Stats) *int { return &s.RequestWarnStatements }, count(1), 50),
		},
		{
			Key: "request_warn_time", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "so is one that takes longer",
			binding: bind(func(s *Stats) *time.Duration { return &s.RequestWarnTime }, pause(), time.Second),
		},
	}
}

// nplusoneSettings returns the rows about loops in the traffic.
func nplusoneSettings() []Setting {
	rows := []Setting{
		{
			Key: "nplusone", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "look for them; without it there are no requests either",
			binding: bind(func(s *Stats) *bool { return &s.NPlusOne }, boolean(), true),
		},
		{
			Key: "nplusone_memory", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "megabytes that looking for them may take",
			binding: bind(func(s *Stats) *int { return &s.NPlusOneMemory }, integer(1, 1<<20), 64),
		},
		{
			Key: "nplusone_ignore_fingerprints", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "statements that are never reported, by the 16 digits of pgweir fingerprint",
			binding: bind(func(s *Stats) *[]uint64 { return &s.NPlusOneIgnoreFingerprints }, fingerprints(), nil),
		},
		{
			Key: "nplusone_ignore_tables", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "statements on these tables, named as in the statement, are not reported",
			binding: bind(func(s *Stats) *[]string { return &s.NPlusOneIgnoreTables }, words(), nil),
		},
	}
	return append(rows, nplusoneOrigins()...)
}

// nplusoneOrigins returns the rows about who runs loops that are not reported.
func nplusoneOrigins() []Setting {
	return []Setting{
		{
			Key: "nplusone_ignore_applications", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "application_name of clients whose loops are not reported",
			binding: bind(func(s *Stats) *[]string { return &s.NPlusOneIgnoreApplications }, words(), nil),
		},
		{
			Key: "nplusone_ignore_routes", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "routes, or controller#action, whose loops are not reported",
			binding: bind(func(s *Stats) *[]string { return &s.NPlusOneIgnoreRoutes }, words(), nil),
		},
		{
			Key: "nplusone_ignore_users", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "users whose loops are not reported",
			binding: bind(func(s *Stats) *[]string { return &s.NPlusOneIgnoreUsers }, words(), nil),
		},
		{
			Key: "nplusone_jobs", Restart: true, PgBouncer: notInPgBouncer,
			Doc:     "application_name of jobs, whose loops are reported from 50 statements on, not 5",
			binding: bind(func(s *Stats) *[]string { return &s.NPlusOneJobs }, words(), nil),
		},
	}
}
