package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// serverHost is a host name, an IP address, or the absolute path of a directory with a
// unix socket in it.
func serverHost() kind[string] {
	return stringKind[string]("host or directory", "one host name, IP address or socket directory", func(s string) bool {
		return s != "" && (s[0] == '/' || !strings.ContainsAny(s, ", \t\r\n/"))
	})
}

// hostPort is an address to listen on, or nothing. The host may be left out.
func hostPort() kind[string] {
	want := `an address such as "127.0.0.1:9127" or ":9127", or ""`
	return stringKind[string]("host:port", want, func(s string) bool {
		if s == "" {
			return true
		}
		name, port, err := net.SplitHostPort(s)
		if err != nil || strings.ContainsAny(name, ", \t\r\n/") {
			return false
		}
		n, err := strconv.Atoi(port)
		return err == nil && n >= 0 && n <= maxPort
	})
}

// listenHosts is the hosts to listen on: one string, PgBouncer's comma-separated
// string, or a list. The empty string and the empty list are no host at all.
func listenHosts() kind[[]string] {
	return kind[[]string]{
		name:  "host or list of hosts",
		want:  `an address, "*", "", or a list of addresses`,
		parse: parseListenHosts,
		print: func(hosts []string) string { return strings.Join(hosts, ", ") },
		literal: func(hosts []string) string {
			if len(hosts) == 1 {
				return strconv.Quote(hosts[0])
			}
			quoted := make([]string, len(hosts))
			for i, h := range hosts {
				quoted[i] = strconv.Quote(h)
			}
			return "[" + strings.Join(quoted, ", ") + "]"
		},
	}
}

// parseListenHosts reads the value of listenHosts.
func parseListenHosts(raw any) ([]string, error) {
	var items []any
	switch v := raw.(type) {
	case []any:
		items = v
	case string:
		if strings.TrimSpace(v) == "" {
			return nil, nil
		}
		for part := range strings.SplitSeq(v, ",") {
			items = append(items, strings.TrimSpace(part))
		}
	default:
		return nil, mismatch(listenHosts().want, raw)
	}

	var hosts []string
	for _, item := range items {
		h, _ := item.(string)
		if !isListenHost(h) {
			return nil, mismatch(`an IP address, a host name or "*", without a port`, item)
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

// isListenHost reports whether h names an interface: no port, no path.
func isListenHost(h string) bool {
	if _, err := netip.ParseAddr(h); err == nil {
		return true
	}
	return h != "" && !strings.ContainsAny(h, ":/,@ \t\r\n\x00")
}
