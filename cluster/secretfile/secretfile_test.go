package secretfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhoElseHasAccess(t *testing.T) {
	p := process{user: 1000, groups: []int{1000, 2000}}
	tests := []struct {
		name        string
		mode        fs.FileMode
		user, group int
		exposed     string // part of what is said; "" for private
	}{
		{"its own", 0o600, 1000, 1000, ""},
		{"its own, read only", 0o400, 1000, 1000, ""},
		{"its own, of a group it is not in but that may do nothing", 0o600, 1000, 3000, ""},
		{"for its own group", 0o640, 1000, 1000, ""},
		{"of root, for a further group of the process, as Kubernetes mounts it", 0o440, 0, 2000, ""},
		{"of root, writable for that group", 0o660, 0, 2000, ""},
		{"of root", 0o600, 0, 0, ""},
		{"of root and root's group, as systemd hands credentials over", 0o440, 0, 0, ""},
		{"readable for everybody", 0o644, 1000, 1000, "0644"},
		{"readable for everybody but the group", 0o604, 0, 0, "0604"},
		{"writable for everybody", 0o602, 1000, 1000, "0602"},
		{"executable for everybody", 0o601, 1000, 1000, "0601"},
		{"for a group of others", 0o640, 1000, 3000, "3000"},
		{"of a user, for root's group", 0o440, 1000, 0, "0440"},
		{"of root, for a group of others", 0o440, 0, 3000, "0440"},
		{"writable for a group of others", 0o620, 1000, 3000, "0620"},
		{"of another user", 0o600, 1001, 1000, "user 1001"},
		{"of another user, for our group", 0o640, 1001, 2000, "user 1001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.exposed(tt.mode, tt.user, tt.group)
			if (got == "") != (tt.exposed == "") || !strings.Contains(got, tt.exposed) {
				t.Errorf("mode %04o of %d:%d: got %q, want %q", tt.mode, tt.user, tt.group, got, tt.exposed)
			}
		})
	}
}

// write makes a file with a mode, whatever the umask.
func write(t *testing.T, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chown(path, -1, os.Getegid()), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadRefusesWhatOthersCanRead(t *testing.T) {
	for mode, want := range map[fs.FileMode]error{0o600: nil, 0o400: nil, 0o640: nil, 0o644: ErrExposed, 0o606: ErrExposed, 0o661: ErrExposed} {
		path := write(t, "hush", mode)
		data, err := Read(path)
		if !errors.Is(err, want) || (err == nil) != (string(data) == "hush") {
			t.Errorf("mode %04o: got %q, %v; want %v", mode, data, err, want)
		}
		if err := Check(path); !errors.Is(err, want) {
			t.Errorf("mode %04o: check says %v, want %v", mode, err, want)
		}
		if err != nil && (!strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("the error does not name the file, or quotes it: %v", err)
		}
	}
}

func TestReadFollowsLinks(t *testing.T) {
	private, link := write(t, "hush", 0o600), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(private, link); err != nil {
		t.Fatal(err)
	}
	if data, err := Read(link); string(data) != "hush" || err != nil {
		t.Errorf("through a link to a private file: %q, %v", data, err)
	}
	if err := os.Chmod(private, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(link); !errors.Is(err, ErrExposed) {
		t.Errorf("through a link to a file for everybody: %v", err)
	}
}

func TestReadAnyTellsBoth(t *testing.T) {
	data, exposed, err := ReadAny(write(t, "for all", 0o644))
	if string(data) != "for all" || !errors.Is(exposed, ErrExposed) || err != nil {
		t.Errorf("got %q, %v, %v", data, exposed, err)
	}
}

func TestReadRefusesWhatIsNoFileOfSecrets(t *testing.T) {
	for name, path := range map[string]string{
		"nothing":       filepath.Join(t.TempDir(), "none"),
		"a directory":   t.TempDir(),
		"what is large": write(t, strings.Repeat("x", maxSize+1), 0o600),
	} {
		if _, err := Read(path); err == nil || errors.Is(err, ErrExposed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
