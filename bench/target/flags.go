package target

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// known is what of args an older program knows, by its own --help. Each flag in
// args has a value behind it.
func known(ctx context.Context, program string, args []string) ([]string, error) {
	help, err := exec.CommandContext(ctx, program, "--help").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --help: %w", program, err)
	}
	return inHelp(string(help), args), nil
}

func inHelp(help string, args []string) (kept []string) {
	for i := 0; i+1 < len(args); i += 2 {
		if strings.Contains(help, " "+args[i]+"=") {
			kept = append(kept, args[i], args[i+1])
		}
	}
	return kept
}
