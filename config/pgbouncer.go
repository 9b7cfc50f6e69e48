package config

import "strings"

// pgbouncerAdvice returns what to do about a setting that PgBouncer has and pgweir
// does not have in the table, or "" when PgBouncer has none of that name either. The
// names are those of PgBouncer 1.25's doc/config.md.
func pgbouncerAdvice(table, key string) string {
	if strings.HasPrefix(key, "client_tls") || strings.HasPrefix(key, "server_tls") {
		return "TLS is not supported yet"
	}

	switch key {
	case "auth_query", "auth_user", "auth_dbname":
		return "not supported yet: list users in [users.NAME] or auth_file"
	case "auth_hba_file", "auth_ident_file", "auth_ldap_options":
		return "not supported yet: see auth_type"
	case "admin_users", "stats_users":
		return "there is no admin console yet"
	case "track_extra_parameters", "ignore_startup_parameters",
		"application_name_add_host", "disable_pqexec", "scram_iterations", "login_notify_message",
		"max_db_client_connections", "max_user_client_connections", "transaction_timeout", "query_wait_notify",
		"server_fast_close",
		"server_reset_query_always", "load_balance_hosts", "connect_query", "peer_id", "so_reuseport",
		"unix_socket_group", "max_packet_size", "log_pooler_errors", "suspend_timeout":
		return "PgBouncer's setting is not supported yet: remove it"
	case "client_encoding", "datestyle", "timezone", "application_name":
		return "not supported yet: ALTER ROLE or ALTER DATABASE ... SET does the same in PostgreSQL"

	case "reserve_pool":
		return "call it reserve_pool_size"
	case "verbose":
		return `set log_level = "debug"`
	case "stats_period", "log_stats":
		return "not needed: read /metrics (see http_listen)"
	case "logfile", "syslog", "syslog_facility", "syslog_ident":
		return "not needed: pgweir logs to standard error; let systemd or the container keep it"
	case "pidfile", "job_name", "service_name":
		return "not needed: pgweir stays in the foreground; let systemd or the container supervise it"
	case "listen_backlog":
		return "not needed: the system's limit is used (net.core.somaxconn)"
	case "pkt_buf", "sbuf_loopcnt", "tcp_socket_buffer", "tcp_defer_accept":
		return "not needed: there is nothing to tune here"
	case "dns_max_ttl", "dns_nxdomain_ttl", "dns_zone_check_period", "resolv_conf":
		return "not needed: names are looked up anew for every server"
	case "autodb_idle_timeout", "pool_idle_timeout":
		return "not needed: server_idle_timeout closes what is not used"
	case "user":
		if table == mainSection {
			return "not needed: start pgweir as the user it is to run as"
		}
	case "conffile":
		return "not a setting: name the file on the command line"
	}
	return ""
}
