package wirescript

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ReadDir reads the scripts in a directory, with the explanations beside them. An error
// joins those of all of them.
func ReadDir(dir string) ([]*Script, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.script"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no scripts in %s", dir)
	}
	var scripts []*Script
	for _, file := range files {
		s, e := readFile(file)
		err = errors.Join(err, e)
		scripts = append(scripts, s)
	}

	return scripts, err
}

// readFile reads one script.
func readFile(file string) (*Script, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(file, ".script")
	s, err := Parse(filepath.Base(base), string(text))
	if err != nil {
		return nil, err
	}
	explained, err := os.ReadFile(base + ".diff")
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		s.explained, err = parseExplanations(base+".diff", string(explained))
	}

	return s, err
}

// Judge compares what came of the script when it was played against a version of
// PostgreSQL and through a proxy in a configuration. It returns what is wrong: that
// they differ, if that is not explained, or that they do not as it is explained; else
// "".
func (s *Script) Judge(want, got Transcript, configuration string, version int) string {
	d, explained := Diff(want, got), s.explanation(configuration, version)
	switch {
	case d == nil && explained == "", d != nil && d.Text == explained:
		return ""
	case d == nil:
		return fmt.Sprintf("%s.diff explains a difference that there is not any more:\n%s", s.Name, explained)
	}
	text := fmt.Sprintf("%s.script:%d, configuration %s: PostgreSQL (-) and pgweir (+) differ:\n%s",
		s.Name, d.Line, configuration, d.Text)
	if explained != "" {
		text += fmt.Sprintf("%s.diff explains another difference:\n%s", s.Name, explained)
	}

	return text
}

// explanation returns the difference that is explained, or "".
func (s *Script) explanation(configuration string, version int) string {
	for _, e := range s.explained {
		if e.explains(configuration, version) {
			return e.text
		}
	}

	return ""
}
