package saml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Bounds of a document. Messages have some dozens of elements, the metadata of a provider some
// hundreds, and that of a federation as many for each member; what follows the reading costs
// elements times declarations, before a signature is known to be good.
const (
	maxDocument     = 256 << 10 // bytes of a message
	maxMetadata     = 2 << 20   // bytes of metadata
	maxDepth        = 32
	maxElements     = 1000
	maxDescribing   = 30_000 // elements of metadata
	maxAttributes   = 32     // of one element
	maxDeclarations = 32     // in scope at one element
)

// The kinds of documents. In metadata people write comments; in a message one can only
// be there to split a text for a careless reader.
type kind bool

const (
	message  kind = false
	document kind = true // comments are left out
)

func (k kind) bytes() int {
	if k == document {
		return maxMetadata
	}
	return maxDocument
}

func (k kind) elements() int {
	if k == document {
		return maxDescribing
	}
	return maxElements
}

// idForm are the ids that signatures can refer to.
var idForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]{0,255}$`)

// readXML parses a document, strictly: everything that two parsers could understand in
// two ways is refused. It has no document type, entities or processing instructions, is
// in namespaces throughout, has no id twice, and is the same after it was written and
// read again.
func readXML(data []byte, k kind) (*etree.Element, error) {
	root, err := parseXML(data, k)
	if err != nil {
		return nil, fmt.Errorf("XML: %w", err)
	}
	written, err := writeXML(root)
	if err != nil {
		return nil, err
	}
	again, err := parseXML(written, k)
	if err != nil {
		return nil, fmt.Errorf("XML, read again: %w", err)
	}
	rewritten, err := writeXML(again)
	if err != nil || !bytes.Equal(written, rewritten) {
		return nil, errors.New("XML that changes when it is written")
	}
	return again, nil
}

// writeXML writes an element in the form that canonicalization has too.
func writeXML(e *etree.Element) ([]byte, error) {
	d := etree.NewDocument()
	d.SetRoot(e.Copy())
	d.WriteSettings = etree.WriteSettings{CanonicalAttrVal: true, CanonicalEndTags: true, CanonicalText: true}
	return d.WriteToBytes()
}

// parser makes a tree of tokens.
type parser struct {
	kind     kind
	root     *etree.Element
	open     []level
	elements int
	ids      map[string]bool
}

// level is an element that was not closed yet, with the namespaces in scope by prefix.
type level struct {
	*etree.Element
	spaces map[string]string
}

func parseXML(data []byte, k kind) (*etree.Element, error) {
	if len(data) > k.bytes() {
		return nil, fmt.Errorf("more than %d bytes", k.bytes())
	}
	if !utf8.Valid(data) {
		return nil, errors.New("no UTF-8")
	}
	p := &parser{kind: k, ids: map[string]bool{}}
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		at := d.InputOffset()
		t, err := d.RawToken()
		switch {
		case errors.Is(err, io.EOF):
			if p.root == nil || len(p.open) > 0 {
				return nil, errors.New("an element is not closed, or there is none")
			}
			return p.root, nil
		case err != nil:
			return nil, errors.New("not well-formed")
		}
		if err := p.token(t, at == 0); err != nil {
			return nil, err
		}
	}
}

func (p *parser) token(t xml.Token, first bool) error {
	switch t := t.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		return p.end(t.Name)
	case xml.CharData:
		return p.text(string(t))
	case xml.ProcInst:
		if first && t.Target == "xml" {
			return nil
		}
		return errors.New("a processing instruction")
	case xml.Comment:
		if p.kind == document {
			return nil
		}
		return errors.New("a comment")
	default:
		return errors.New("a document type")
	}
}

func (p *parser) text(text string) error {
	if len(p.open) > 0 {
		p.open[len(p.open)-1].CreateText(text)
		return nil
	}
	if strings.Trim(text, " \t\r\n") != "" {
		return errors.New("text outside of the root element")
	}
	return nil
}

func (p *parser) end(name xml.Name) error {
	last := len(p.open) - 1
	if last < 0 || p.open[last].Tag != name.Local || p.open[last].Space != name.Space {
		return errors.New("not well-formed")
	}
	p.open = p.open[:last]
	return nil
}

func (p *parser) start(t xml.StartElement) error {
	p.elements++
	switch {
	case len(p.open) == 0 && p.root != nil:
		return errors.New("two root elements")
	case len(p.open) >= maxDepth:
		return fmt.Errorf("elements more than %d deep", maxDepth)
	case p.elements > p.kind.elements():
		return fmt.Errorf("more than %d elements", p.kind.elements())
	case len(t.Attr) > maxAttributes:
		return fmt.Errorf("more than %d attributes of an element", maxAttributes)
	}
	spaces, err := p.declared(t.Attr)
	if err != nil {
		return err
	}
	if spaces[t.Name.Space] == "" || strings.Contains(t.Name.Local, ":") {
		return errors.New("an element in no namespace")
	}
	if err := p.attributes(t.Attr, spaces); err != nil {
		return err
	}
	e := &etree.Element{Space: t.Name.Space, Tag: t.Name.Local}
	for _, a := range t.Attr {
		e.Attr = append(e.Attr, etree.Attr{Space: a.Name.Space, Key: a.Name.Local, Value: a.Value})
	}
	if p.root == nil {
		p.root = e
	} else {
		p.open[len(p.open)-1].AddChild(e)
	}
	p.open = append(p.open, level{e, spaces})
	return nil
}

// declared are the namespaces in scope at an element with these attributes.
func (p *parser) declared(attributes []xml.Attr) (map[string]string, error) {
	spaces := map[string]string{"xml": xmlNS}
	if len(p.open) > 0 {
		spaces = p.open[len(p.open)-1].spaces
	}
	own := false
	for _, a := range attributes {
		prefix, ok := declaration(a.Name)
		if !ok {
			continue
		}
		if !own {
			spaces, own = maps.Clone(spaces), true
		}
		if a.Value == "" || a.Value == xmlNS || a.Value == xmlnsNS || confusing(prefix) {
			return nil, errors.New("a namespace that must not be declared so")
		}
		spaces[prefix] = a.Value
	}
	if len(spaces) > maxDeclarations {
		return nil, fmt.Errorf("more than %d namespaces", maxDeclarations)
	}
	return spaces, nil
}

// declaration is the prefix that an attribute declares; "" is that of the default namespace.
func declaration(n xml.Name) (prefix string, ok bool) {
	if n.Space == "xmlns" {
		return n.Local, true
	}
	return "", n.Space == "" && n.Local == "xmlns"
}

// confusing are prefixes, and names of attributes in a namespace, which libraries take for
// the attribute of that name in no namespace.
func confusing(name string) bool {
	return slices.Contains([]string{"xml", "xmlns", "id", "uri", "algorithm", "prefixlist"}, strings.ToLower(name))
}

func (p *parser) attributes(attributes []xml.Attr, spaces map[string]string) error {
	seen := make(map[xml.Name]bool, len(attributes))
	for _, a := range attributes {
		name := a.Name
		if _, ok := declaration(name); !ok && name.Space != "" {
			if spaces[name.Space] == "" || confusing(name.Local) {
				return errors.New("an attribute in no namespace, or in a confusing one")
			}
			name.Space = spaces[name.Space]
		}
		if seen[name] || strings.Contains(name.Local, ":") {
			return errors.New("an attribute that is there twice")
		}
		seen[name] = true
		if a.Name.Space == "" && strings.EqualFold(a.Name.Local, "id") {
			if p.ids[a.Value] || !idForm.MatchString(a.Value) {
				return errors.New("an id that is there twice, or is none")
			}
			p.ids[a.Value] = true
		}
	}
	return nil
}
