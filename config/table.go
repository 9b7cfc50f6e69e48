package config

import (
	"io/fs"
	"time"
)

// This file is the table [pgweir]. A row's Doc and Zero are the whole of what is
// written about a setting: the example file and the reference page print them.

// mainSection is the table whose settings have environment variables and flags
// without the table's name in them.
const mainSection = "pgweir"

// noLimit is what zero means for most limits and timeouts.
const noLimit = "0: no limit"

// EmptyQuery stands in server_check_query for a query without a statement, which costs
// PostgreSQL the least, as "" says that there is no check. The word is PgBouncer's.
const EmptyQuery = "<empty>"

// maxLoops is far more event loops than any machine can use; it catches a number
// that was meant for another setting.
const maxLoops = 1024

// pgweirSettings returns the settings of [pgweir] in the order people read them.
func pgweirSettings() []group {
	return []group{
		{"Listening", listenSettings()},
		{"Authentication", authSettings()},
		{"Pools and limits", poolSettings()},
		{"What stays in a session after a transaction: keep the server, refuse it, or undo it", leftoverSettings()},
		{"Timeouts of clients", clientTimeouts()},
		{"Timeouts of servers", serverTimeouts()},
		{"TCP", tcpSettings()},
		{"Logs", logSettings()},
		{"Process", processSettings()},
	}
}

// listenSettings returns the rows that say where pgweir can be reached.
func listenSettings() []Setting {
	return []Setting{
		{
			Key: "listen_addr", Restart: true, PgBouncer: `default ""; several are one string with commas, which works here too`,
			Doc: `the address to listen on, or a list of them`, Zero: `"": no TCP; "*": every interface`,
			binding: bind(func(p *Pgweir) *[]string { return &p.ListenAddr }, listenHosts(), []string{"127.0.0.1"}),
		},
		{
			Key: "listen_port", Restart: true,
			Doc: "the port, also in the name of the unix socket", Zero: "0: any free port, for tests",
			binding: bind(func(p *Pgweir) *int { return &p.ListenPort }, integer(0, maxPort), 6432),
		},
		{
			Key: "unix_socket_dir", Restart: true, PgBouncer: "default: the temporary directory",
			Doc: "the directory of the unix socket .s.PGSQL.<listen_port>", Zero: `"": no unix socket`,
			binding: bind(func(p *Pgweir) *string { return &p.UnixSocketDir }, anyString(), ""),
		},
		{
			Key: "unix_socket_mode", Restart: true,
			Doc:     "the permissions of the unix socket, in octal",
			binding: bind(func(p *Pgweir) *fs.FileMode { return &p.UnixSocketMode }, octalMode(), 0o777),
		},
		{
			Key: "http_listen", Restart: true, PgBouncer: notInPgBouncer,
			Doc: "where /metrics, /livez, /readyz and /healthz are served", Zero: `"": off`,
			binding: bind(func(p *Pgweir) *string { return &p.HTTPListen }, hostPort(), "127.0.0.1:9127"),
		},
	}
}

// authSettings returns the rows that say who may log in.
func authSettings() []Setting {
	return []Setting{
		{
			Key: "auth_type", PgBouncer: "default md5; has also cert, hba, ldap, pam and any",
			Doc: "how clients prove who they are",
			binding: bind(func(p *Pgweir) *AuthType { return &p.AuthType },
				oneOf(AuthTrust, AuthPlain, AuthMD5, AuthSCRAM), AuthSCRAM),
		},
		{
			Key:     "auth_file",
			Doc:     "PgBouncer's userlist.txt: plain, md5... or SCRAM-SHA-256$... secrets",
			Zero:    `"": none`,
			binding: bind(func(p *Pgweir) *string { return &p.AuthFile }, anyString(), ""),
		},
	}
}

// poolSettings returns the rows that say how servers are shared.
func poolSettings() []Setting {
	return []Setting{
		{
			Key: "pool_mode", PgBouncer: "default session",
			Doc: "how long a client keeps a server",
			binding: bind(func(p *Pgweir) *PoolMode { return &p.PoolMode },
				oneOf(PoolTransaction, PoolSession, PoolStatement), PoolTransaction),
		},
		{
			Key:     "default_pool_size",
			Doc:     "servers per pool; a pool is one database and one user",
			binding: bind(func(p *Pgweir) *int { return &p.DefaultPoolSize }, count(1), 20),
		},
		{
			Key:     "min_pool_size",
			Doc:     "servers a pool keeps open even when nobody needs them",
			binding: bind(func(p *Pgweir) *int { return &p.MinPoolSize }, count(0), 0),
		},
		{
			Key: "reserve_pool_size",
			Doc: "more servers for a pool whose clients wait reserve_pool_timeout", Zero: "0: none",
			binding: bind(func(p *Pgweir) *int { return &p.ReservePoolSize }, count(0), 0),
		},
		{
			Key: "reserve_pool_timeout",
			Doc: "how long a client waits before its pool uses the reserve", Zero: "0: never used",
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ReservePoolTimeout }, timeout(), 5*time.Second),
		},
		{
			Key: "max_client_conn", PgBouncer: "default 100",
			Doc:     "clients connected at once; further ones get an error",
			binding: bind(func(p *Pgweir) *int { return &p.MaxClientConn }, count(1), 1000),
		},
		{
			Key: "max_prepared_statements",
			Doc: "prepared statements that a server keeps for clients", Zero: "0: do not follow them",
			binding: bind(func(p *Pgweir) *int { return &p.MaxPreparedStatements }, count(0), 200),
		},
		{
			Key: "max_db_connections",
			Doc: "servers per database, its pools together", Zero: noLimit,
			binding: bind(func(p *Pgweir) *int { return &p.MaxDBConnections }, count(0), 0),
		},
		{
			Key: "max_user_connections",
			Doc: "servers per user, the user's pools together", Zero: noLimit,
			binding: bind(func(p *Pgweir) *int { return &p.MaxUserConnections }, count(0), 0),
		},
		{
			Key: "server_reset_query",
			Doc: "run on a server when its client leaves a session pool", Zero: `"": nothing`,
			binding: bind(func(p *Pgweir) *string { return &p.ServerResetQuery }, anyString(), "DISCARD ALL"),
		},
	}
}

// clientTimeouts returns the rows that bound how long a client may take.
func clientTimeouts() []Setting {
	return []Setting{
		{
			Key: "query_wait_timeout",
			Doc: "how long a client waits for a server before it gets an error", Zero: noLimit,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.QueryWaitTimeout }, timeout(), 120*time.Second),
		},
		{
			Key: "client_login_timeout",
			Doc: "how long a client may take to log in", Zero: noLimit,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ClientLoginTimeout }, timeout(), 60*time.Second),
		},
		{
			Key: "client_idle_timeout",
			Doc: "how long a client may stay connected and do nothing", Zero: noLimit,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ClientIdleTimeout }, timeout(), 0),
		},
		{
			Key: "idle_transaction_timeout",
			Doc: "how long a client may leave a transaction open and do nothing", Zero: noLimit,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.IdleTransactionTimeout }, timeout(), 0),
		},
		{
			Key: "query_timeout",
			Doc: "how long a statement may run; better: PostgreSQL's statement_timeout", Zero: noLimit,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.QueryTimeout }, timeout(), 0),
		},
		{
			Key: "client_write_timeout", PgBouncer: notInPgBouncer,
			Doc: "how long a client that has a server may take nothing of its answers", Zero: noLimit,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ClientWriteTimeout }, timeout(), 0),
		},
		{
			Key: "cancel_wait_timeout",
			Doc: "how long a cancel request may take to reach its server", Zero: noLimit,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.CancelWaitTimeout }, timeout(), 10*time.Second),
		},
	}
}

// serverTimeouts returns the rows that bound how long a server may take and live.
func serverTimeouts() []Setting {
	return []Setting{
		{
			Key: "server_connect_timeout",
			Doc: "how long connecting and logging in to a server may take", Zero: noLimit,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ServerConnectTimeout }, timeout(), 15*time.Second),
		},
		{
			Key: "server_idle_timeout",
			Doc: "an idle server is closed after this time", Zero: "0: never",
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ServerIdleTimeout }, timeout(), 600*time.Second),
		},
		{
			Key: "server_lifetime",
			Doc: "a server this old is closed as soon as no client has it", Zero: "0: after one use",
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ServerLifetime }, timeout(), 3600*time.Second),
		},
		{
			Key: "server_check_query", PgBouncer: "same; the check has no deadline of its own",
			Doc:     `asks a server, after a long rest, if it is there; "<empty>" is a query`,
			Zero:    `"": none`,
			binding: bind(func(p *Pgweir) *string { return &p.ServerCheckQuery }, anyString(), EmptyQuery),
		},
		{
			Key: "server_check_delay",
			Doc: "a rest so long that the server is checked before its next use", Zero: "0: always",
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ServerCheckDelay }, timeout(), 30*time.Second),
		},
		{
			Key:     "server_round_robin",
			Doc:     "use the servers of a pool in turn, rather than as few of them as possible",
			binding: bind(func(p *Pgweir) *bool { return &p.ServerRoundRobin }, boolean(), false),
		},
		{
			Key: "server_login_retry", PgBouncer: "a fixed pause, during which clients get the last error",
			Doc:     "the longest pause between attempts to reach a server that cannot be reached",
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ServerLoginRetry }, pause(), 15*time.Second),
		},
	}
}

// tcpSettings returns the rows that go to the kernel, for the sockets of clients
// and of servers.
func tcpSettings() []Setting {
	const system = "0: as the system does"
	return []Setting{
		{
			Key:     "tcp_keepalive",
			Doc:     "find dead peers by TCP keepalive",
			binding: bind(func(p *Pgweir) *bool { return &p.TCPKeepalive }, boolean(), true),
		},
		{
			Key: "tcp_keepidle",
			Doc: "the silence before the first keepalive probe", Zero: system,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.TCPKeepidle }, kernelSeconds(), 0),
		},
		{
			Key: "tcp_keepintvl",
			Doc: "the time between keepalive probes", Zero: system,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.TCPKeepintvl }, kernelSeconds(), 0),
		},
		{
			Key: "tcp_keepcnt",
			Doc: "unanswered keepalive probes before a connection is dead", Zero: system,
			binding: bind(func(p *Pgweir) *int { return &p.TCPKeepcnt }, integer(0, maxKeepcnt), 0),
		},
		{
			Key: "tcp_user_timeout", PgBouncer: "a number of milliseconds; here the unit must be written",
			Doc: "how long sent bytes may stay unacknowledged", Zero: system,
			binding: bind(func(p *Pgweir) *time.Duration { return &p.TCPUserTimeout }, milliseconds(), 0),
		},
	}
}

// maxKeepcnt is the largest TCP_KEEPCNT Linux takes (MAX_TCP_KEEPCNT in
// include/net/tcp.h).
const maxKeepcnt = 127

// logSettings returns the rows about log lines.
func logSettings() []Setting {
	return []Setting{
		{
			Key: "log_format", Restart: true, PgBouncer: notInPgBouncer,
			Doc: "how the lines look", Zero: "auto: console on a terminal, else json",
			binding: bind(func(p *Pgweir) *LogFormat { return &p.LogFormat },
				oneOf(LogAuto, LogConsole, LogJSON), LogAuto),
		},
		{
			Key: "log_level", PgBouncer: "verbose, a number",
			Doc: "the least important lines to write",
			binding: bind(func(p *Pgweir) *string { return &p.LogLevel },
				oneOf("debug", "info", "warn", "error"), "info"),
		},
		{
			Key:     "log_connections",
			Doc:     "write a line for every login",
			binding: bind(func(p *Pgweir) *bool { return &p.LogConnections }, boolean(), true),
		},
		{
			Key:     "log_disconnections",
			Doc:     "write a line for every client that leaves, and why",
			binding: bind(func(p *Pgweir) *bool { return &p.LogDisconnections }, boolean(), true),
		},
	}
}

// processSettings returns the rows about the process itself.
func processSettings() []Setting {
	return []Setting{
		{
			Key: "loops", Restart: true, PgBouncer: notInPgBouncer,
			Doc: "event loops, filled one after another", Zero: "0: as many as GOMAXPROCS",
			binding: bind(func(p *Pgweir) *int { return &p.Loops }, integer(0, maxLoops), 0),
		},
		{
			Key: "shutdown_timeout", PgBouncer: notInPgBouncer,
			Doc: "how long transactions may take to end after SIGTERM", Zero: "0: none, stop at once",
			binding: bind(func(p *Pgweir) *time.Duration { return &p.ShutdownTimeout }, timeout(), 30*time.Second),
		},
	}
}
