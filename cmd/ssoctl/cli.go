package main

import "time"

// cli is the command line; cmd/ssod/docs/operating.md#ssoctl.
type cli struct {
	Admin      string        `placeholder:"ADDR" default:"127.0.0.1:8081" env:"SSOCTL_ADMIN" help:"Admin address of a node, host:port, or https://host:port where it speaks TLS (${default})."`
	AdminToken string        `placeholder:"FILE" env:"SSOCTL_ADMIN_TOKEN" help:"File with the bearer token of the admin API, its first line; it may be the node's. Not accessible to others."`
	AdminCA    string        `name:"admin-ca" placeholder:"FILE" env:"SSOCTL_ADMIN_CA" help:"CA of the node's certificate, PEM. Default: those of the system."`
	HTTP       string        `name:"http" placeholder:"ADDR" help:"Public address of the node, host:port or https://host:port. Default: what its admin API says."`
	Output     string        `enum:"table,json" default:"table" placeholder:"FORMAT" help:"table or json (${default})."`
	Timeout    time.Duration `default:"15s" placeholder:"DURATION" help:"For how long one call may take, such as 15s (${default})."`

	Status    statusCommand  `cmd:"" help:"Show the nodes, their states and who leads how many shards."`
	Watch     watchCommand   `cmd:"" help:"Show the status, then every change of it, until Ctrl-C."`
	Statement statementGroup `cmd:"" help:"Make or revoke a software statement."`
	Token     tokenCommand   `cmd:"" help:"Register a client and print an access token."`
	Client    clientGroup    `cmd:"" help:"Revoke a client."`
	Init      initCommand    `cmd:"" help:"Have a node that waits for a cluster to join found it: once, on one node."`
	Cluster   clusterGroup   `cmd:"" help:"Change what must be the same on all nodes."`
	Drain     drainCommand   `cmd:"" help:"Have a node hand over what it holds and leave; it stays out, restarts included, until undrain."`
	Undrain   undrainCommand `cmd:"" help:"Take a node back that is drained, or has left."`
	Remove    removeCommand  `cmd:"" help:"Give a node that is unreachable up for good."`
	Readmit   readmitCommand `cmd:"" help:"Accept the certificate of a node that was removed again."`
	Keys      keysGroup      `cmd:"" help:"List, rotate or revoke keys."`
	Clock     clockGroup     `cmd:"" help:"Accept the clock after a leap, or set the time back after a wrong one."`
	Degrade   degradeCommand `cmd:"" help:"Answer in the place of a TV provider that is in trouble, for a while; list the rules that do."`
	Provider  providerGroup  `cmd:"" help:"Test a TV provider."`
	Events    eventsGroup    `cmd:"" help:"Show what waits for receivers of events; send again what was given up."`
	Profile   profileGroup   `cmd:"" help:"Show or erase what is stored for one viewer."`
	Trial     trialGroup     `cmd:"" help:"Reset trials of temporary access."`
	Backup    backupGroup    `cmd:"" help:"Back the whole cluster up, or check a backup. ssod restore makes a new cluster of one."`
	Reload    reloadCommand  `cmd:"" help:"Make the node reread its configuration."`
	Demo      demoCommand    `cmd:"" help:"Play the cross-device flow against the node and show every call."`

	Completion completionCommand `cmd:"" help:"Print the completion script of a shell."`
	Complete   completeCommand   `cmd:"" name:"__complete" hidden:""`
}
