package clienttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Need ends the test if a program is not on PATH. debian are the packages that have it.
func Need(t testing.TB, name, debian string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed (Debian, Ubuntu: apt-get install %s)", name, debian)
	}
}

// cacheDir returns a folder of the user's cache, outside the repository, for what is
// installed. It stays for the next run.
func cacheDir(t testing.TB, name string) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "pgweir-test-clients", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}

	return dir
}

// Run runs a command in a folder, with more environment variables, and returns its
// standard output. If it cannot the test ends.
func Run(t testing.TB, dir string, environment []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), environment...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, stderr.String())
	}

	return string(out)
}

// Go builds a program of the module in the folder go, and returns its command.
func Go(t testing.TB, name string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	Run(t, "go", nil, "go", "build", "-o", path, "./"+name)

	return []string{path}
}

// Python returns the command of a program of the folder python. It is run in a virtual
// environment, of the name cache, with the packages of requirements.txt.
func Python(t testing.TB, cache, file string) []string {
	t.Helper()
	Need(t, "python3", "python3-venv")
	dir := cacheDir(t, cache)
	Run(t, ".", nil, "python3", "-m", "venv", dir)
	Run(t, ".", nil, filepath.Join(dir, "bin", "pip"), "install", "--quiet", "-r", "python/requirements.txt")

	return []string{filepath.Join(dir, "bin", "python"), filepath.Join("python", file)}
}

// Node returns the command of a program of the folder node. It is run in a copy, of the
// name cache, with the packages of package-lock.json.
func Node(t testing.TB, cache, file string) []string {
	t.Helper()
	Need(t, "node", "nodejs npm")
	dir := cacheDir(t, cache)
	if err := os.RemoveAll(dir); err != nil { // CopyFS overwrites nothing
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS("node")); err != nil {
		t.Fatal(err)
	}
	Run(t, dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")

	return []string{"node", filepath.Join(dir, file)}
}

// Maven builds the folder java, in one of the name cache, and returns the command of a
// class.
func Maven(t testing.TB, cache, class string) []string {
	t.Helper()
	Need(t, "mvn", "maven")
	dir := cacheDir(t, cache)
	Run(t, "java", nil, "mvn", "-q", "-B", "-DbuildDirectory="+dir, "package", "dependency:copy-dependencies")

	return []string{"java", "-cp", filepath.Join(dir, "classes") + ":" + filepath.Join(dir, "dependency", "*"), class}
}
