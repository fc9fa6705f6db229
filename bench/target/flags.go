package target

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// secretFlag makes a node one of a cluster.
const secretFlag = "--cluster-secret"

// aloneIsClosed is what the help of builds says whose nodes refuse addresses for
// others when they are alone; older ones listen there all the same.
const aloneIsClosed = "node is alone and opens no port"

// suited is what of args a program knows, by its own --help, with the addresses for
// other nodes if it wants them. Each flag has a value behind it.
func suited(ctx context.Context, program string, args, peers []string) ([]string, error) {
	help, err := exec.CommandContext(ctx, program, "--help").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --help: %w", program, err)
	}
	return choose(string(help), args, peers), nil
}

func choose(help string, args, peers []string) []string {
	words := strings.Join(strings.Fields(help), " ") // without its line breaks
	if slices.Contains(args, secretFlag) || !strings.Contains(words, aloneIsClosed) {
		args = slices.Concat(args, peers)
	}
	return inHelp(help, args)
}

func inHelp(help string, args []string) (kept []string) {
	for i := 0; i+1 < len(args); i += 2 {
		if strings.Contains(help, " "+args[i]+"=") {
			kept = append(kept, args[i], args[i+1])
		}
	}
	return kept
}
