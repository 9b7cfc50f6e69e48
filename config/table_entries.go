package config

import "time"

// defaultPort is PostgreSQL's port, DEF_PGPORT in its configure.ac.
const defaultPort = 5432

// databaseSettings returns the settings of one entry of [databases].
func databaseSettings() []group {
	return []group{
		{"Where its servers are", serverAddressSettings()},
		{"Its own pools and limits", databaseLimits()},
		{"What stays in a session after a transaction", databaseLeftovers()},
	}
}

// serverAddressSettings returns the rows that say which PostgreSQL a database is
// in and how to log in there.
func serverAddressSettings() []Setting {
	return []Setting{
		{
			Key: "host", PgBouncer: `default: a unix socket; takes several hosts`,
			Doc:     "the server's host name or address, or the directory of its unix socket",
			binding: bind(func(d *Database) *string { return &d.Host }, serverHost(), "127.0.0.1"),
		},
		{
			Key:     "port",
			Doc:     "the server's port",
			binding: bind(func(d *Database) *int { return &d.Port }, serverPort(), defaultPort),
		},
		{
			Key: "dbname",
			Doc: "the database's name on the server", Zero: `"": the name the client asked for`,
			binding: bind(func(d *Database) *string { return &d.DBName }, anyString(), ""),
		},
		{
			Key: "user",
			Doc: "log in to the server as this user, whoever the client is", Zero: `"": as the client's user`,
			binding: bind(func(d *Database) *string { return &d.User }, anyString(), ""),
		},
		{
			Key:     "password",
			Doc:     "the password of user, better in password_file",
			Zero:    `"": in [users] or auth_file`,
			binding: bind(func(d *Database) *Secret { return &d.Password }, secret(), ""),
		},
		{
			Key: "password_file", PgBouncer: notInPgBouncer,
			Doc: "a file that holds the password", Zero: `"": none`,
			binding: bind(func(d *Database) *string { return &d.PasswordFile }, anyString(), ""),
		},
	}
}

// databaseLimits returns the rows in which a database may differ from [pgweir].
func databaseLimits() []Setting {
	return []Setting{
		{
			Key: "pool_size",
			Doc: "servers per pool", Zero: "0: default_pool_size",
			binding: bind(func(d *Database) *int { return &d.PoolSize }, count(0), 0),
		},
		{
			Key: "min_pool_size",
			Doc: "servers each pool keeps open", Zero: "-1: as in [pgweir]",
			binding: bind(func(d *Database) *int { return &d.MinPoolSize }, count(Inherit), Inherit),
		},
		{
			Key: "reserve_pool_size", PgBouncer: "also called reserve_pool",
			Doc: "more servers for clients that wait long", Zero: "-1: as in [pgweir]; 0: none",
			binding: bind(func(d *Database) *int { return &d.ReservePoolSize }, count(Inherit), Inherit),
		},
		{
			Key: "max_db_connections",
			Doc: "servers of the database, its pools together", Zero: "-1: as in [pgweir]; " + noLimit,
			binding: bind(func(d *Database) *int { return &d.MaxDBConnections }, count(Inherit), Inherit),
		},
		{
			Key: "pool_mode",
			Doc: "how long a client keeps a server", Zero: `"": as in [pgweir]`,
			binding: bind(func(d *Database) *PoolMode { return &d.PoolMode },
				oneOf("", PoolTransaction, PoolSession, PoolStatement), ""),
		},
		{
			Key: "slow_statement", Restart: true, PgBouncer: notInPgBouncer,
			Doc: "how long a statement takes that is logged as slow", Zero: "0: as in [stats]",
			binding: bind(func(d *Database) *time.Duration { return &d.SlowStatement }, timeout(), 0),
		},
	}
}

// userSettings returns the settings of one entry of [users].
func userSettings() []group {
	return []group{
		{"How the user logs in", []Setting{
			{
				Key: "password", PgBouncer: "only in auth_file",
				Doc:     "plain, or a SCRAM or md5 verifier, better in password_file",
				Zero:    `"": in auth_file`,
				binding: bind(func(u *User) *Secret { return &u.Password }, secret(), ""),
			},
			{
				Key: "password_file", PgBouncer: notInPgBouncer,
				Doc: "a file that holds the password", Zero: `"": none`,
				binding: bind(func(u *User) *string { return &u.PasswordFile }, anyString(), ""),
			},
		}},
		{"The user's own pools and limits", []Setting{
			{
				Key: "pool_size",
				Doc: "servers per pool", Zero: "0: as its database",
				binding: bind(func(u *User) *int { return &u.PoolSize }, count(0), 0),
			},
			{
				Key: "pool_mode",
				Doc: "how long a client keeps a server", Zero: `"": as its database`,
				binding: bind(func(u *User) *PoolMode { return &u.PoolMode },
					oneOf("", PoolTransaction, PoolSession, PoolStatement), ""),
			},
			{
				Key: "max_user_connections",
				Doc: "servers of the user, the user's pools together", Zero: "-1: as in [pgweir]; " + noLimit,
				binding: bind(func(u *User) *int { return &u.MaxUserConnections }, count(Inherit), Inherit),
			},
			{
				Key: "slow_statement", Restart: true, PgBouncer: notInPgBouncer,
				Doc: "how long a statement takes that is logged as slow", Zero: "0: as its database",
				binding: bind(func(u *User) *time.Duration { return &u.SlowStatement }, timeout(), 0),
			},
		}},
	}
}
