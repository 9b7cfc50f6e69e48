package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
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
		if err != nil || u.Host == "" {
			return "", &exitError{code: exitUsage, err: fmt.Errorf("-url %q is not a URL such as http://127.0.0.1:9127", *a.url)}
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
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}

	return "http://" + address, nil
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

// do makes a request, whose path is below the base, and decodes the JSON of the answer
// into v; nil: there is none.
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
		return fmt.Errorf("ask pgweir: %w (is it running, and is http_listen right?)", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("ask pgweir: %w", err)
	case answer.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s%s: %s: %s", base, path, answer.Status, strings.TrimSpace(string(body)))
	case v == nil:
		return nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s%s does not answer as pgweir does: %w", base, path, err)
	}

	return nil
}
