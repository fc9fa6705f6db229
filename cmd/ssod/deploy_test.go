package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"ssod/cluster/transport/transporttest"
	"ssod/cmd/internal/node"
)

// helm renders the chart.
const helm = "helm.sh/helm/v3/cmd/helm@v3.19.0"

// deployed is a node as a file under deploy starts it.
type deployed struct {
	name     string
	args     []string
	env      map[string]string
	patience time.Duration // from the order to stop to the kill
}

// TestDeployments: the flags that the files under deploy give to ssod are good ones,
// and a node has time to stop.
func TestDeployments(t *testing.T) {
	for file, read := range map[string]func(*testing.T, []byte) []deployed{
		"deploy/ssod.service":       unit,
		"deploy/compose.yaml":       compose,
		"deploy/helm/rendered.yaml": statefulSet,
	} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			nodes := read(t, text)
			if len(nodes) == 0 {
				t.Fatal("it starts no node")
			}
			for _, n := range nodes {
				n.check(t)
			}
		})
	}
}

// TestTheChartIsRendered as it is now.
func TestTheChartIsRendered(t *testing.T) {
	if os.Getenv("SSOD_LONG") == "" {
		t.Skip("builds helm: SSOD_LONG=1")
	}
	got, err := exec.CommandContext(t.Context(), "go", "run", helm, "template", "ssod", "deploy/helm/ssod").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("deploy/helm/rendered.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("deploy/helm/rendered.yaml is not what the chart renders: make chart")
	}
}

// TestTheImageRuns builds the image as its file says and asks the programs in it for
// their versions: nothing that they need is missing in an image of nothing else.
func TestTheImageRuns(t *testing.T) {
	if _, err := exec.LookPath("buildah"); os.Getenv("SSOD_LONG") == "" || err != nil {
		t.Skip("builds an image: SSOD_LONG=1 and buildah")
	}
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	for name, path := range map[string]string{"ssod": ".", "ssoctl": "../ssoctl"} {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(image, name), path)
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(image, "ca-certificates.crt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	buildah := func(args ...string) string {
		store := []string{"--storage-driver", "vfs", "--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run")}
		out, err := exec.CommandContext(t.Context(), "buildah", append(store, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("buildah %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	buildah("build", "--isolation", "chroot", "-f", "deploy/Dockerfile", "-t", "ssod", image)
	container := buildah("from", "ssod")
	for _, command := range [][]string{{"/ssod", "--version"}, {"/ssod", "--check"}, {"/ssoctl", "--help"}} {
		t.Logf("%v: %.40q", command, buildah(append([]string{"run", "--isolation", "chroot", container, "--"}, command...)...))
	}
}

// check has ssod check the flags, with the files that they name.
func (n deployed) check(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	variable := regexp.MustCompile(`\$\((\w+)\)`)
	var args []string
	for _, a := range n.args {
		a = variable.ReplaceAllStringFunc(a, func(v string) string { return n.env[v[2:len(v)-1]] })
		args = append(args, strings.ReplaceAll(a, "/etc/ssod", dir))
	}
	for name, value := range n.env {
		t.Setenv(name, strings.ReplaceAll(value, "/etc/ssod", dir))
	}
	var f flags
	line := newCommandLine(&f, io.Discard, io.Discard)
	if line.parse(slices.Clone(args)) || len(line.mistakes) > 0 {
		t.Fatalf("%s: %q: %v", n.name, args, line.mistakes)
	}
	provide(t, &f)
	var said bytes.Buffer
	if status := run(append(args, "--check"), &said, &said); status != exitOK {
		t.Errorf("%s: %q: status %d: %s", n.name, args, status, &said)
	}
	if least := f.DrainDelay + node.Grace + lastWords; n.patience <= least {
		t.Errorf("%s: it is killed after %v, and takes up to %v to stop", n.name, n.patience, least)
	}
}

// provide makes the files that the flags name.
func provide(t *testing.T, f *flags) {
	t.Helper()
	write := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(f.Config, "realms: [{id: a, serviceProviders: [tv]}]\n")
	if f.ClusterSecret != "" {
		write(f.ClusterSecret, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n")
	}
	if f.TLSCert == "" {
		return
	}
	authority, err := transporttest.NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files, err := authority.Issue(f.Node)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{files.Cert: f.TLSCert, files.Key: f.TLSKey, files.CA: f.TLSCA} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(to, string(text))
	}
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// unit reads a unit of systemd.
func unit(t *testing.T, text []byte) []deployed {
	t.Helper()
	n := deployed{name: "the unit"}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "ExecStart":
			n.args = strings.Fields(value)[1:]
		case "TimeoutStopSec":
			d, err := time.ParseDuration(value + "s")
			if err != nil {
				t.Fatal(err)
			}
			n.patience = d
		}
	}
	return []deployed{n}
}

// compose reads the services of a compose file.
func compose(t *testing.T, text []byte) (all []deployed) {
	t.Helper()
	var file struct {
		Services map[string]struct {
			Command     []string
			Environment map[string]string
			Grace       string `yaml:"stop_grace_period"`
		}
	}
	decode(t, text, &file)
	for name, s := range file.Services {
		patience, err := time.ParseDuration(s.Grace)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, deployed{name: name, args: s.Command, env: s.Environment, patience: patience})
	}
	return all
}

// statefulSet reads the nodes of the chart.
func statefulSet(t *testing.T, text []byte) (all []deployed) {
	t.Helper()
	for _, part := range bytes.Split(text, []byte("\n---\n")) {
		var set struct {
			Kind string
			Spec struct {
				Template struct {
					Spec struct {
						Grace      int `yaml:"terminationGracePeriodSeconds"`
						Containers []struct{ Args []string }
					}
				}
			}
		}
		decode(t, part, &set)
		if set.Kind != "StatefulSet" {
			continue
		}
		pod := set.Spec.Template.Spec
		for _, c := range pod.Containers {
			all = append(all, deployed{name: "the pod", args: c.Args, env: map[string]string{"POD_NAME": "ssod-0"}, patience: seconds(pod.Grace)})
		}
	}
	return all
}
