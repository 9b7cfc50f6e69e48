package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/pgweir/pgweir/config"
)

// An asker asks a pgweir that runs for its figures.
type asker struct {
	fs  *flags
	url *string
	c   *string
}

// newAsker adds the flags that say which one.
func newAsker(fs *flags) *asker {
	return &asker{
		fs:  fs,
		url: fs.String("url", "", "where it serves metrics; the default is http_listen of the file"),
		c:   fs.String("c", defaultConfig(), "configuration `file`, where there is no -url"),
	}
}

// base is the URL of the pgweir, without a path.
func (a *asker) base() (string, error) {
	if *a.url != "" {
		u, err := url.Parse(*a.url)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", usageError(a.fs, "-url %q is not a URL such as http://127.0.0.1:9127", *a.url)
		}

		return strings.TrimRight(*a.url, "/"), nil
	}
	address := config.Default().Pgweir.HTTPListen
	if _, err := os.Stat(*a.c); err == nil || a.named() {
		cfg, err := loadConfig(*a.c, a.fs)
		if err != nil {
			return "", err
		}
		address = cfg.Pgweir.HTTPListen
	}
	if address == "" {
		return "", &exitError{code: exitConfig, err: errors.New(`http_listen is "": there is nobody to ask`)}
	}

	return "http://" + reachable(address), nil
}

// reachable returns the address to connect to for one that is listened on: the loopback
// interface stands for all.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || host == "*" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}

	return net.JoinHostPort(host, port)
}

// named reports whether the command line names a configuration file.
func (a *asker) named() (named bool) {
	a.fs.Visit(func(f *flag.Flag) { named = named || f.Name == "c" })

	return named
}

// askTimeout is how long an answer may take.
const askTimeout = 15 * time.Second

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 20

// A refusal is an answer that says why there is none.
type refusal struct {
	status int
	text   string
}

// Error implements error.
func (r *refusal) Error() string {
	return r.text
}

// refusalOf makes the error of such an answer.
func refusalOf(page string, answer *http.Response, body []byte) error {
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		said.Error = answer.Status // of somebody else
	}

	return &refusal{status: answer.StatusCode, text: page + ": " + printable(said.Error)}
}

// isOff reports whether an error says that something is not measured.
func isOff(err error) bool {
	var r *refusal

	return errors.As(err, &r) && r.status == http.StatusNotFound
}

// do makes a request, whose path is below the base, and decodes the JSON of the answer
// into v; nil: there is none. The error is a [refusal] if somebody answers.
func (a *asker) do(ctx context.Context, method, path string, v any) error {
	base, err := a.base()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, base+path, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // which does not repeat the path
		}

		return fmt.Errorf("no pgweir at %s, see -url and -c: %w", base, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("ask pgweir: %w", err)
	case answer.StatusCode >= http.StatusBadRequest:
		return refusalOf(base+path, answer, body)
	case v == nil:
		return nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s%s does not answer as pgweir does: %w", base, path, err)
	}

	return nil
}
