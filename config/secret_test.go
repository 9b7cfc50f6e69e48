package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestSecretNeverShows holds that no way of printing a config shows a password.
func TestSecretNeverShows(t *testing.T) {
	u := User{Password: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %[1]v"} {
		for _, v := range []any{u.Password, u, &u, map[string]User{"app": u}, []Secret{u.Password}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "hunter2") || strings.Contains(got, "68756e74657232") {
				t.Errorf("%s of %T shows it: %s", verb, v, got)
			}
		}
	}

	data, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(data); strings.Contains(got, "hunter2") || !strings.Contains(got, redacted) {
		t.Errorf("json: %s", got)
	}

	cfg := Default()
	cfg.Users["app"] = u
	for v := range cfg.Values() {
		if strings.Contains(v.Text, "hunter2") {
			t.Errorf("Values shows %s", v.Path(v.Entry))
		}
	}
}

func TestSecret(t *testing.T) {
	if got := Secret("hunter2").Reveal(); got != "hunter2" {
		t.Errorf("Reveal = %q", got)
	}
	for secret, want := range map[Secret]string{"hunter2": "***", "": ""} {
		text, err := secret.MarshalText()
		if secret.String() != want || secret.GoString() != want || string(text) != want || err != nil {
			t.Errorf("%q prints as %q, %q, %q, %v", secret.Reveal(), secret.String(), secret.GoString(), text, err)
		}
	}
}
