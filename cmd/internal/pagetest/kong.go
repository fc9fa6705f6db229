package pagetest

import (
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
		text := code(usage(f)) + ": " + meaning(f)
		if f.Required {
			text += " Required."
		}
		all = append(all, text)
	}
	return strings.Join(all, "<br>")
}

func usage(f *kong.Flag) string {
	if f.IsBool() {
		return "--" + f.Name
	}
	return "--" + f.Name + " " + f.FormatPlaceHolder()
}

// meaning is the help of a flag without its default, which has a column.
func meaning(f *kong.Flag) string {
	return strings.ReplaceAll(f.Help, " ("+f.Default+")", "")
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
