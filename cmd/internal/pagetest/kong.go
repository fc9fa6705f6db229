package pagetest

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Flags are the rows of the flags of a program, those that --help shows.
func Flags(flags []*kong.Flag) [][]string {
	rows := [][]string{{"flag", "environment", "default", "meaning"}}
	for _, f := range flags {
		if f.Name == "help" || f.Hidden {
			continue
		}
		rows = append(rows, []string{code(usage(f)), code(strings.Join(f.Envs, " ")), code(f.Default), meaning(f)})
	}
	return rows
}

// Commands are the rows of the commands of a program, in the order of its help.
func Commands(app *kong.Application) [][]string {
	rows := [][]string{{"command", "what it does", "flags"}}
	for _, leaf := range app.Leaves(true) {
		rows = append(rows, []string{code(strings.TrimPrefix(leaf.FullPath(), app.Name+" ") + arguments(leaf)), leaf.Help, options(leaf)})
	}
	return rows
}

func arguments(n *kong.Node) string {
	var b strings.Builder
	for _, p := range n.Positional {
		b.WriteString(" " + strings.ToUpper(p.Name))
	}
	return b.String()
}

// options are the flags of a command itself, those of all commands left out.
func options(n *kong.Node) string {
	var all []string
	for _, f := range n.Flags {
		all = append(all, code(usage(f))+": "+f.Help+required(f, n.Flags))
	}
	return strings.Join(all, "<br>")
}

// required says that a flag must be given, or one of those that exclude it.
func required(f *kong.Flag, all []*kong.Flag) string {
	if !f.Required {
		return ""
	}
	text := " Required"
	for _, other := range all {
		if other != f && slices.ContainsFunc(f.Xor, func(group string) bool { return slices.Contains(other.Xor, group) }) {
			text += ", or " + code("--"+other.Name)
		}
	}
	return text + "."
}

func usage(f *kong.Flag) string {
	if f.IsBool() {
		return "--" + f.Name
	}
	return "--" + f.Name + " " + f.FormatPlaceHolder()
}

// meaning is the help of a flag without its default, which has a column.
func meaning(f *kong.Flag) string {
	return strings.Replace(f.Help, " ("+f.Default+")", "", 1)
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
