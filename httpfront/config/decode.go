package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
)

// shorthand is a struct that a plain string can stand for.
type shorthand interface{ fromString(s string) }

// decoder fills structs from YAML nodes. Unlike yaml.v3's own it goes on after a mistake,
// refuses unknown keys, remembers the line of every key, and fills in defaults first, so
// that an explicit zero differs from an absent key.
type decoder struct{ *report }

// value sets v from n. v holds its default and keeps it after a mistake.
func (d decoder) value(n *yaml.Node, v reflect.Value, key string) {
	d.lines[key] = n.Line
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), key)
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		d.mistake(key, "has no value; leave the key out to get its default")
	case n.Kind == yaml.AliasNode:
		d.mistake(key, "aliases are not supported; write the value out")
	case v.Kind() == reflect.Slice:
		d.list(n, v, key)
	case v.Kind() == reflect.Map:
		d.names(n, v, key)
	case v.Kind() == reflect.Struct && v.Type() != prefixType:
		d.record(n, v, key)
	case n.Kind != yaml.ScalarNode:
		d.mistake(key, "is %s, must be %s", form(n), wanted(v.Type()))
	default:
		if err := setScalar(v, n.Tag, n.Value); err != nil {
			d.mistake(key, "%v", err)
		}
	}
}

func (d decoder) list(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.SequenceNode {
		d.mistake(key, "is %s, must be a list", form(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, v.Index(i), key+"["+strconv.Itoa(i)+"]")
	}
}

// names sets v, a map by names that the file chooses.
func (d decoder) names(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		d.mistake(key, "is %s, must be a mapping", form(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, full := reflect.ValueOf(n.Content[i].Value), join(key, clip(n.Content[i].Value))
		if n.Content[i].Kind != yaml.ScalarNode || v.MapIndex(name).IsValid() {
			d.found(n.Content[i].Line, full, "is no name, or is there twice")
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(n.Content[i+1], element, full)
		v.SetMapIndex(name, element)
	}
}

func (d decoder) record(n *yaml.Node, v reflect.Value, key string) {
	setDefaults(v)
	short, ok := v.Addr().Interface().(shorthand)
	switch {
	case ok && n.Kind == yaml.ScalarNode:
		short.fromString(n.Value)
	case n.Kind != yaml.MappingNode:
		d.mistake(key, "is %s, must be a mapping", form(n))
	default:
		d.fields(n, v, key)
	}
}

func (d decoder) fields(n *yaml.Node, v reflect.Value, key string) {
	known := fieldsOf(v)
	seen := make(map[string]bool, len(known))
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		full := join(key, name.Value)
		field, ok := known[name.Value]
		switch {
		case !ok || name.Kind != yaml.ScalarNode:
			d.found(name.Line, join(key, clip(name.Value)), "unknown key")
		case seen[name.Value]:
			d.found(name.Line, full, "is there twice")
		default:
			seen[name.Value] = true
			d.value(value, field, full)
			d.lines[full] = name.Line
		}
	}
}

// fieldsOf maps the keys of a struct to its fields.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	fields := make(map[string]reflect.Value, v.NumField())
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" && name != "-" {
			fields[name] = v.Field(i)
		}
	}
	return fields
}

// setDefaults fills v, a struct, with what its default tags say.
func setDefaults(v reflect.Value) {
	for i := range v.NumField() {
		text, ok := v.Type().Field(i).Tag.Lookup("default")
		field := v.Field(i)
		switch {
		case field.Kind() == reflect.Struct && field.Type() != prefixType:
			setDefaults(field)
		case ok:
			setDefault(field, text)
		}
	}
}

func setDefault(v reflect.Value, text string) {
	if v.Kind() != reflect.Slice {
		must(setScalar(v, tagOf(v.Type()), text))
		return
	}
	items := strings.Split(text, ",")
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		must(setScalar(v.Index(i), "!!str", item))
	}
}

// must fails on a default tag that does not fit its field, which every test
// that parses anything finds.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// setScalar sets v from the text of a scalar whose YAML type is tag.
func setScalar(v reflect.Value, tag, text string) error {
	switch {
	case v.Type() == durationType:
		return setDuration(v, text)
	case v.Type() == prefixType:
		return setPrefix(v, text)
	case v.Kind() == reflect.String:
		v.SetString(text)
		return nil
	case v.Kind() == reflect.Bool && tag == "!!bool":
		v.SetBool(strings.EqualFold(text, "true"))
		return nil
	case v.Kind() == reflect.Int && tag == "!!int":
		return setInt(v, text)
	case v.Kind() == reflect.Float64 && (tag == "!!int" || tag == "!!float"):
		return setFloat(v, text)
	}
	return fmt.Errorf("%q is not %s", clip(text), wanted(v.Type()))
}

func setDuration(v reflect.Value, text string) error {
	duration, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 15m or 720h", clip(text))
	}
	v.SetInt(int64(duration))
	return nil
}

// setPrefix takes an address for the prefix of that one address.
func setPrefix(v reflect.Value, text string) error {
	prefix, err := netip.ParsePrefix(text)
	if address, failed := netip.ParseAddr(text); err != nil && failed == nil {
		prefix, err = address.WithZone("").Prefix(address.BitLen())
	}
	if err != nil {
		return fmt.Errorf("%q is not an address or a prefix such as 10.0.0.0/8", clip(text))
	}
	v.Set(reflect.ValueOf(prefix.Masked()))
	return nil
}

func setInt(v reflect.Value, text string) error {
	number, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%q is not a decimal number in range", clip(text))
	}
	v.SetInt(int64(number))
	return nil
}

func setFloat(v reflect.Value, text string) error {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number", clip(text))
	}
	v.SetFloat(number)
	return nil
}

// wanted names a type in words of the file.
func wanted(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 15m"
	case t == prefixType:
		return "a prefix such as 10.0.0.0/8"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Float64:
		return "a number"
	}
	return "text"
}

func tagOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "!!bool"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "!!int"
	}
	return "!!str"
}

func form(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a plain value"
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// clip shortens what is repeated from a file in a message.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
