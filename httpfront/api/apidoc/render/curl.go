package render

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// shell says how the commands of a document name what its reader has.
type shell struct {
	// Host is the variable of the listener's URL, Token that of the bearer token.
	Host, Token string
}

// command is a curl command and what it shows.
type command struct{ Name, Text string }

// given are the headers whose value is a variable; see the guide.
var given = map[string]string{
	"AP-Device-Identifier": "$DEVICE",
	"AD-Service-Token":     "$SERVICE_TOKEN",
	"X-SSO-LINK":           "$CODE",
}

// secret are the members of bodies that only the reader knows.
var secret = map[string]string{
	"software_statement": "$STATEMENT",
	"client_id":          "$CLIENT_ID",
	"client_secret":      "$CLIENT_SECRET",
}

// curls returns the commands of an operation: one, or one for each of the
// headers of which a call has either.
func (sh shell) curls(method, path string, parameters []parameter, token bool, bodies ordered[media]) []command {
	either := names(parameters, "X-SSO-ID", "X-SSO-LINK")
	if len(either) < 2 {
		return []command{{"curl", sh.curl(method, path, parameters, "", token, bodies)}}
	}
	var list []command
	for _, name := range either {
		list = append(list, command{"curl, with " + name, sh.curl(method, path, parameters, name, token, bodies)})
	}
	return list
}

func names(parameters []parameter, wanted ...string) (found []string) {
	for _, name := range wanted {
		for _, p := range parameters {
			if p.In == "header" && p.Name == name {
				found = append(found, name)
			}
		}
	}
	return found
}

var variable = regexp.MustCompile(`\{([A-Za-z]+)\}`)

// curl is one command. Of the optional headers it has the one that is named, and
// the service token wherever one is understood.
func (sh shell) curl(method, path string, parameters []parameter, named string, token bool, bodies ordered[media]) string {
	url := variable.ReplaceAllStringFunc(path, func(name string) string { return "$" + inPath(path, strings.Trim(name, "{}")) })
	lines := []string{"curl -sS " + flag(method) + `"$` + sh.Host + url + query(parameters) + `"`}
	if token {
		lines = append(lines, `-H "Authorization: Bearer $`+sh.Token+`"`)
	}
	for _, p := range parameters {
		if p.In == "header" && (p.Required || p.Name == named || p.Name == "AD-Service-Token") {
			lines = append(lines, `-H "`+p.Name+": "+value(p)+`"`)
		}
	}
	return strings.Join(append(lines, data(bodies)...), " \\\n  ")
}

// inPath is the variable for a part of a path. There are two kinds of codes.
func inPath(path, name string) string {
	if name == "code" && strings.HasPrefix(path, "/api/v2/") {
		return "AUTHENTICATION_CODE"
	}
	return upper(name)
}

func flag(method string) string {
	switch method {
	case "GET":
		return ""
	case "HEAD":
		return "--head "
	default:
		return "-X " + method + " "
	}
}

// query are the parameters without which there is no call, and those of which the
// document has an example.
func query(parameters []parameter) string {
	var b strings.Builder
	for _, p := range parameters {
		if p.In != "query" || !p.Required && p.Example.Kind == 0 {
			continue
		}
		b.WriteString(map[bool]string{true: "?", false: "&"}[b.Len() == 0])
		b.WriteString(p.Name + "=$" + upper(p.Name))
	}
	return b.String()
}

func value(p parameter) string {
	if v, ok := given[p.Name]; ok {
		return v
	}
	if p.Example.Kind == yaml.ScalarNode {
		return p.Example.Value
	}
	return "$" + upper(strings.ReplaceAll(p.Name, "-", "_"))
}

var hump = regexp.MustCompile(`([a-z])([A-Z])`)

// upper is how a shell variable for a name is written: SERVICE_PROVIDER.
func upper(name string) string { return strings.ToUpper(hump.ReplaceAllString(name, "${1}_${2}")) }

// data are the flags of the first example of a body.
func data(bodies ordered[media]) []string {
	for _, m := range bodies {
		for _, e := range m.Value.Examples {
			switch m.Name {
			case "application/json":
				return []string{"-H 'Content-Type: application/json'", "-d " + quoted(&e.Value.Value)}
			case "application/x-www-form-urlencoded":
				return fields(&e.Value.Value)
			}
		}
	}
	return nil
}

// quoted is an example in the quotes of a shell: single ones, unless there is a
// variable in it.
func quoted(n *yaml.Node) string {
	text, known := encodeLine(n), false
	for name, v := range secret {
		if m := member(n, name); m != nil {
			text, known = strings.Replace(text, quote(m.Value), quote(v), 1), true
		}
	}
	if known {
		return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// fields are the flags of a form.
func fields(n *yaml.Node) (list []string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i].Value, n.Content[i+1].Value
		if s, ok := secret[name]; ok {
			v = `"` + s + `"`
		}
		option := "-d "
		if strings.ContainsAny(v, ":/&+ ") {
			option = "--data-urlencode "
		}
		list = append(list, option+name+"="+v)
	}
	return list
}
