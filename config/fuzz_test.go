package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad holds that no file makes the loader panic, and that it either takes a
// file or says why not: in whole lines, each with the file's name or a path.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(seeds, "../config.toml.example") {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("[databases]\nx.y.z.host = 1\n[[users.a]]\n"))
	f.Add([]byte("pgweir = {listen_port = 1, a = {b = [{c = 1}]}}\ndatabases = [1]\nusers = 2020-01-01"))

	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLoader()
		l.parse("fuzz.toml", data)
		cfg, err := l.finish()
		if (cfg == nil) == (err == nil) {
			t.Fatalf("finish = %v, %v, want one of them", cfg, err)
		}
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("finish returned a %T", err)
			}
			for _, p := range problems {
				if p.Message == "" || p.File == "" && p.Path == "" || strings.HasSuffix(p.Message, ".") {
					t.Errorf("problem %+v", p)
				}
			}
			return
		}
		for v := range cfg.Values() {
			_ = v.Path(v.Entry)
		}
		for name := range cfg.Databases {
			if p, ok := cfg.Pool(name, "anybody"); !ok || p.Size < 1 || p.MinSize > p.Size {
				t.Errorf("Pool(%q) = %+v, %v", name, p, ok)
			}
		}
	})
}

// FuzzFromDatabaseURL holds that no URL makes the parser panic, and that none of
// its errors repeats a long enough piece of what it was given.
func FuzzFromDatabaseURL(f *testing.F) {
	for _, s := range []string{
		"postgres://app:secret@h:5432/shop", "postgres:///?host=/tmp&user=u", "postgres://%zz", "://", "postgres://[::1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const secret = "pa55w0rd-that-must-not-show"
		for _, u := range []string{s, "postgres://app:" + secret + s, "postgres://app:" + s + secret + "@h/db"} {
			cfg, err := FromDatabaseURL(u)
			if (cfg == nil) == (err == nil) {
				t.Fatalf("FromDatabaseURL = %v, %v, want one of them", cfg, err)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error repeats the password: %v", err)
			}
		}
	})
}
