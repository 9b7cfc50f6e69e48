package config

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"port", "port", 0},
		{"prot", "port", 1},
		{"pot", "port", 1},
		{"ports", "port", 1},
		{"part", "port", 1},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3},
	}
	for _, tt := range tests {
		for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			if got := distance(pair[0], pair[1], 10); got != tt.want {
				t.Errorf("distance(%q, %q) = %d, want %d", pair[0], pair[1], got, tt.want)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"host", "port", "pool_size", "min_pool_size"}
	tests := []struct{ word, want string }{
		{"prt", "port"},
		{"HOST", "host"},
		{"poolsize", "pool_size"},
		{"mni_pool_siez", "min_pool_size"},
		{"x", ""},
		{"completely_different", ""},
	}
	for _, tt := range tests {
		if got := nearest(tt.word, known); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

// TestAdviceIsForKeysWeDoNotHave holds that no advice speaks of a setting that has
// come to be supported, where the advice would never be read or would be wrong.
func TestAdviceIsForKeysWeDoNotHave(t *testing.T) {
	for _, sec := range sections() {
		for _, s := range sec.settings() {
			if advice := pgbouncerAdvice(sec.name, s.Key); advice != "" {
				t.Errorf("%s is supported but said to be: %s", s.Path("NAME"), advice)
			}
		}
	}
}

// TestEveryPgBouncerSettingIsAnswered holds that whoever brings a setting of
// PgBouncer 1.25 finds it supported or is told why not.
func TestEveryPgBouncerSettingIsAnswered(t *testing.T) {
	const inPgBouncer = `
		auth_type auth_file auth_hba_file auth_ident_file auth_query auth_user auth_dbname auth_ldap_options
		scram_iterations admin_users stats_users pool_mode max_client_conn default_pool_size min_pool_size
		reserve_pool_size reserve_pool_timeout max_db_connections max_db_client_connections max_user_connections
		max_user_client_connections track_extra_parameters
		ignore_startup_parameters disable_pqexec application_name_add_host query_wait_timeout query_wait_notify
		query_timeout transaction_timeout idle_transaction_timeout client_idle_timeout client_login_timeout
		cancel_wait_timeout server_lifetime server_idle_timeout server_connect_timeout server_login_retry
		server_check_delay server_check_query server_reset_query server_reset_query_always server_fast_close
		autodb_idle_timeout suspend_timeout stats_period dns_max_ttl dns_nxdomain_ttl dns_zone_check_period
		resolv_conf listen_addr listen_port listen_backlog unix_socket_dir unix_socket_mode unix_socket_group
		so_reuseport peer_id tcp_defer_accept tcp_keepalive tcp_keepcnt tcp_keepidle tcp_keepintvl tcp_user_timeout
		tcp_socket_buffer pkt_buf max_packet_size sbuf_loopcnt user job_name service_name pidfile conffile logfile
		syslog syslog_facility syslog_ident log_connections log_disconnections log_pooler_errors log_stats verbose
		client_tls_sslmode client_tls_key_file client_tls_cert_file client_tls_ca_file client_tls_protocols
		client_tls_ciphers client_tls_ecdhcurve client_tls_dheparams client_tls13_ciphers server_tls_sslmode
		server_tls_ca_file server_tls_key_file server_tls_cert_file server_tls_protocols server_tls_ciphers
		server_tls13_ciphers`
	main := sections()[0]
	for key := range strings.FieldsSeq(inPgBouncer) {
		if _, ok := main.setting(key); !ok && pgbouncerAdvice(main.name, key) == "" {
			t.Errorf("PgBouncer's %s is neither a setting nor explained", key)
		}
	}
}
