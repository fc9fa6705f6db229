package xacml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of an answer. Answers with ten obligations have some 6 KiB.
const (
	maxDocument = 64 << 10 // bytes
	maxElements = 1000
	maxDepth    = 32
)

// element is a part of a document with everything in it. Its text is what is directly
// in it, without the blanks around it.
type element struct {
	name       xml.Name
	attributes []xml.Attr
	children   []*element
	text       string
}

var (
	errForm = errors.New("not an XML document that can be read in one way only")
	errSize = errors.New("document too large")
)

// parse reads a document of UTF-8 text, elements and attributes. It refuses everything
// that readers of XML differ in, and what could make much of little.
func parse(data []byte) (*element, error) {
	if len(data) > maxDocument {
		return nil, errSize
	}
	p := parser{decoder: xml.NewDecoder(bytes.NewReader(data))}
	for {
		token, err := p.decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && p.root != nil && len(p.open) == 0:
			return p.root, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", errForm, err)
		}
		if err := p.take(token); err != nil {
			return nil, err
		}
	}
}

type parser struct {
	decoder *xml.Decoder
	root    *element
	open    []*element
	count   int
	begun   bool // anything was read
}

func (p *parser) take(token xml.Token) error {
	first := !p.begun
	p.begun = true
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		p.open = p.open[:len(p.open)-1]
		return nil
	case xml.CharData:
		return p.characters(t)
	case xml.ProcInst:
		if first && t.Target == "xml" {
			return nil
		}
	}
	return errForm // a document type, an instruction or a comment
}

func (p *parser) start(t xml.StartElement) error {
	if p.count++; p.count > maxElements || len(p.open) >= maxDepth {
		return errSize
	}
	e := &element{name: t.Name, attributes: t.Copy().Attr}
	for i, a := range e.attributes {
		for _, b := range e.attributes[:i] {
			if a.Name == b.Name {
				return errForm
			}
		}
	}
	switch {
	case len(p.open) > 0:
		parent := p.open[len(p.open)-1]
		parent.children = append(parent.children, e)
	case p.root != nil:
		return errForm
	default:
		p.root = e
	}
	p.open = append(p.open, e)
	return nil
}

func (p *parser) characters(t xml.CharData) error {
	text := strings.TrimSpace(string(t))
	switch {
	case text == "":
		return nil
	case len(p.open) == 0:
		return errForm
	}
	e := p.open[len(p.open)-1]
	if e.text != "" { // split by an element
		return errForm
	}
	e.text = text
	return nil
}

// attribute is the value of an attribute without a namespace; "" if it is not there.
func (e *element) attribute(name string) string { return e.attributeIn("", name) }

func (e *element) attributeIn(space, name string) string {
	for _, a := range e.attributes {
		if a.Name.Space == space && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all are the children of a name.
func (e *element) all(space, name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name.Space == space && c.name.Local == name {
			found = append(found, c)
		}
	}
	return found
}

// one is the child of a name that must be there once.
func (e *element) one(space, name string) (*element, error) {
	found := e.all(space, name)
	if len(found) != 1 {
		return nil, fmt.Errorf("%s has %d elements %s, want one", e.name.Local, len(found), name)
	}
	return found[0], nil
}

// path follows names of one namespace, each of which must be there once.
func (e *element) path(space string, names ...string) (*element, error) {
	for _, name := range names {
		var err error
		if e, err = e.one(space, name); err != nil {
			return nil, err
		}
	}
	return e, nil
}
