package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"ssod/actors/profile"
	"ssod/cluster/secretfile"
	"ssod/cluster/wallclock"
	"ssod/cmd/internal/node"
	"ssod/persistence/backup"
)

// restoreFlags are the command line of ssod restore.
type restoreFlags struct {
	File           string `arg:"" help:"Backup, as ssoctl backup has written it."`
	Data           string `required:"" placeholder:"DIR" help:"Data directory of the new cluster's first node, which must be empty or not there."`
	PassphraseFile string `required:"" placeholder:"FILE" help:"File with the passphrase of the backup, its first line. Not accessible to others."`
	Node           string `placeholder:"NAME" help:"Name of the node, [a-z0-9-]{1,63}. Default: the host name."`
	RenewKeys      bool   `help:"Make all service and access tokens void: whoever may have taken the keys of the old cluster has nothing left. Apps fetch new access tokens by themselves; devices sign in again."`
	Erase          string `placeholder:"FILE" help:"Viewers who are not restored, one per line: realm, namespace and subject, separated by single spaces. Those who were erased since the backup was made belong here."`
}

const restoreDescription = `Make the data directory of a new cluster from a backup.

The directory is then the first node's: start ssod on it with the configuration of the old cluster, and let other nodes join, each with an empty directory. The new cluster has an id of its own, so no node of the old one takes part in it. Nothing is written before all of the backup was checked. A crash on the way leaves a directory that no node starts on.`

// restore is ssod restore. It returns the exit status.
func restore(args []string, stdout, stderr io.Writer) int {
	var f restoreFlags
	exit := -1
	parser, err := kong.New(&f, kong.Name("ssod restore"), kong.Description(restoreDescription),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		panic(err) // the tags of flags are wrong
	}
	_, err = parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	var plan node.Restore
	if err == nil {
		plan, err = f.plan()
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\nssod restore --help lists the flags\n", err)
		return exitUsage
	}
	plan.Clock = clock()
	plan.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	done, err := plan.Run(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "nothing was restored: %v\n", err)
		return exitFailed
	}
	f.report(stdout, plan.Name, done)
	return exitOK
}

// plan is the restore that the flags ask for.
func (f *restoreFlags) plan() (node.Restore, error) {
	r := node.Restore{File: f.File, Data: f.Data, Name: f.Node, RenewKeys: f.RenewKeys, Cache: cacheFor(memory())}
	if r.Name == "" {
		r.Name = hostName()
	}
	if !nodeName.MatchString(r.Name) {
		return r, fmt.Errorf("--node %q is not [a-z0-9-]{1,63}", r.Name)
	}
	text, err := secretfile.Read(f.PassphraseFile)
	if err != nil {
		return r, fmt.Errorf("--passphrase-file: %w", err)
	}
	if r.Passphrase = backup.Passphrase(text); r.Passphrase == "" {
		return r, fmt.Errorf("--passphrase-file %s holds no passphrase", f.PassphraseFile)
	}
	if f.Erase != "" {
		r.Erase, err = readViewers(f.Erase)
	}
	return r, err
}

// readViewers reads a list of viewers. Errors name lines and quote nobody.
func readViewers(file string) (list []profile.ID, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--erase: %w", err)
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			continue
		}
		realm, rest, _ := strings.Cut(line, " ")
		namespace, subject, ok := strings.Cut(rest, " ")
		if !ok || realm == "" || namespace == "" || subject == "" {
			return nil, fmt.Errorf("--erase %s:%d: want realm, namespace and subject, separated by single spaces", file, number)
		}
		list = append(list, profile.ID{Realm: realm, Namespace: namespace, Subject: subject})
	}
	return list, nil
}

// report says what was restored, what was not, and what cannot be known.
func (f *restoreFlags) report(w io.Writer, name string, done *node.Restored) {
	h, of := done.Contents.Header, done.Contents
	began := time.UnixMilli(h.GetBeganMs()).UTC().Format(time.RFC3339)
	fmt.Fprintf(w, "%s is the first node of the new cluster %s, made from a backup of cluster %s.\n\n", f.Data, done.Cluster, h.GetCluster())
	fmt.Fprintf(w, "Restored is what was acknowledged before %s: %d profiles with %d members, %d software statements, %d keys, "+
		"%d revoked statements and %d revoked clients.\n",
		began, of.Entities[profile.KindName]-uint64(done.Erased), of.Members-uint64(done.Devices), of.Tables["statements"], of.Keys(),
		of.Tables["revoked-statements"], of.Tables["revoked-clients"])
	fmt.Fprint(w, "Not restored are link codes, logins in progress and counts of wrong guesses, and what nodes and settings the cluster had.\n")
	if f.RenewKeys {
		fmt.Fprint(w, "The keys of service and access tokens are revoked: every such token is void.\n")
	}
	if f.Erase != "" {
		fmt.Fprintf(w, "Erased are %d viewers of the list and what their %d devices had; the others of the list are not in the backup.\n", done.Erased, done.Devices)
	}
	f.reportClock(w, done)
	fmt.Fprintf(w, "\nWhat happened after %s cannot be known:\n", began)
	for _, line := range f.unknown() {
		fmt.Fprintf(w, "- %s\n", line)
	}
	fmt.Fprintf(w, startText, shellWord(f.Data), name)
}

// startText has the commands that start the restored node.
const startText = `
Start it, with the configuration of the old cluster as ssod.yaml, its listeners and files of secrets as before, and a cluster secret of its own:

  (umask 077; openssl rand -base64 32 >cluster.secret)
  ssod --data %s --node %s --config ssod.yaml --cluster-secret cluster.secret

More nodes join it with empty directories, the same secret and --join. A node that is to stay alone needs no --cluster-secret.
`

// plainWord needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+-]+$`)

// shellWord writes a word as a shell reads it.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// reportClock says how the clock compares with the confirmed time of the backup. The
// retention condition of the new cluster says the same until it is confirmed.
func (f *restoreFlags) reportClock(w io.Writer, done *node.Restored) {
	confirmed := done.Contents.Confirmed.UTC().Format(time.RFC3339)
	switch ahead := done.Leap.Round(time.Second); {
	case ahead > wallclock.Large:
		fmt.Fprintf(w, "This machine's clock is %v ahead of the time that the old cluster had confirmed, %s. Nothing that is kept for long is dropped by that difference "+
			"until the clock has stood for %v of uptime; if the clock is right and that should not wait: ssoctl clock accept\n", ahead, confirmed, wallclock.Stand)
	case ahead < -wallclock.Large:
		fmt.Fprintf(w, "This machine's clock is %v BEHIND the time that the old cluster had confirmed, %s: set it right before you start the node.\n", -ahead, confirmed)
	}
}

// unknown is what an operator has to check.
func (f *restoreFlags) unknown() []string {
	lines := []string{
		"devices that were unlinked since are members again, and devices that joined since are none;",
		"statements, clients and keys that were revoked since are good again: revoke them again;",
		"viewers who were erased since are there again: restore with --erase, or ssoctl profile delete;",
	}
	if !f.RenewKeys {
		lines = append(lines, "tokens that the old cluster signed are good as far as their membership is; --renew-keys voids them all.")
	}
	return lines
}
