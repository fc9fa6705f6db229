package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// completionScripts ask the program itself what may come next, so they never get outdated.
var completionScripts = map[string]string{
	"bash": `_ssoctl() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$(ssoctl __complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _ssoctl ssoctl
`,
	"zsh": `#compdef ssoctl
_ssoctl() {
  local -a candidates
  candidates=(${(f)"$(ssoctl __complete -- ${words[2,CURRENT-1]} 2>/dev/null)"})
  if (( ${#candidates} )); then compadd -a candidates; else _files; fi
}
compdef _ssoctl ssoctl
`,
	"fish": `function __ssoctl_complete
  set -l words (commandline -opc)
  ssoctl __complete -- $words[2..-1] 2>/dev/null
end
complete -c ssoctl -a '(__ssoctl_complete)'
`,
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCommand) Run(s *session) error {
	_, err := fmt.Fprint(s.stdout, completionScripts[c.Shell])
	return err
}

// completeCommand is what the scripts call: it prints what may follow words.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Run implements __complete.
func (c *completeCommand) Run(s *session, model *kong.Application) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, candidate := range candidates(model.Node, words) {
		fmt.Fprintln(s.stdout, candidate)
	}
	return nil
}

// candidates are the words that may follow: the values of a flag that wants
// one, else sub-commands and flags.
func candidates(at *kong.Node, words []string) []string {
	for i, word := range words {
		flag := flagOf(at, word)
		switch {
		case flag != nil && i == len(words)-1 && !flag.IsBool():
			return values(flag.Value)
		case flag == nil:
			if child := childOf(at, word); child != nil {
				at = child
			}
		}
	}
	var list []string
	for _, child := range at.Children {
		if !child.Hidden {
			list = append(list, child.Name)
		}
	}
	for _, arg := range at.Positional {
		list = append(list, values(arg)...)
	}
	for n := at; n != nil; n = n.Parent {
		for _, flag := range withDefault(n) {
			list = append(list, "--"+flag.Name)
		}
	}
	return list
}

// values are the words that a flag or an argument is limited to.
func values(v *kong.Value) []string {
	var list []string
	for value := range v.EnumMap() {
		if value != "" {
			list = append(list, value)
		}
	}
	return list
}

// withDefault are the flags of a command and of the command that it stands for
// when no sub-command is named.
func withDefault(n *kong.Node) []*kong.Flag {
	if n.DefaultCmd == nil {
		return n.Flags
	}
	return append(append([]*kong.Flag(nil), n.Flags...), n.DefaultCmd.Flags...)
}

func childOf(n *kong.Node, name string) *kong.Node {
	for _, child := range n.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

func flagOf(n *kong.Node, word string) *kong.Flag {
	name, ok := strings.CutPrefix(word, "--")
	for ; ok && n != nil; n = n.Parent {
		for _, flag := range withDefault(n) {
			if flag.Name == name {
				return flag
			}
		}
	}
	return nil
}
