package saml

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// is reports whether an element has a name.
func is(e *etree.Element, space, tag string) bool { return e.Tag == tag && e.NamespaceURI() == space }

// children are the elements of a name directly in another one.
func children(e *etree.Element, space, tag string) (found []*etree.Element) {
	for _, child := range e.ChildElements() {
		if is(child, space, tag) {
			found = append(found, child)
		}
	}
	return found
}

// one is the only element of a name directly in another one.
func one(e *etree.Element, space, tag string) (*etree.Element, error) {
	found := children(e, space, tag)
	if len(found) != 1 {
		return nil, fmt.Errorf("%d elements %s in %s, want 1", len(found), tag, e.Tag)
	}
	return found[0], nil
}

// atMostOne is the only element of a name directly in another one; nil if there is none.
func atMostOne(e *etree.Element, space, tag string) (*etree.Element, error) {
	found := children(e, space, tag)
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%d elements %s in %s, want 1 at most", len(found), tag, e.Tag)
}

// descendants are the elements of a name anywhere in another one, itself included, in their
// order.
func descendants(e *etree.Element, space, tag string) (found []*etree.Element) {
	if is(e, space, tag) {
		found = append(found, e)
	}
	for _, child := range e.ChildElements() {
		found = append(found, descendants(child, space, tag)...)
	}
	return found
}

// count is how many elements of a name are anywhere in another one, itself included.
func count(e *etree.Element, space string, tags ...string) (n int) {
	for _, tag := range tags {
		if is(e, space, tag) {
			n++
		}
	}
	for _, child := range e.ChildElements() {
		n += count(child, space, tags...)
	}
	return n
}

// attribute is the value of an attribute in no namespace; "" if there is none.
func attribute(e *etree.Element, name string) string {
	for _, a := range e.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}

// text is the whole text of an element. An element in it would make two texts of one.
func text(e *etree.Element) (string, error) {
	var b strings.Builder
	for _, child := range e.Child {
		data, ok := child.(*etree.CharData)
		if !ok {
			return "", fmt.Errorf("%s has more than text", e.Tag)
		}
		b.WriteString(data.Data)
	}
	return b.String(), nil
}

// token is the text of an element that is a URI or another value without blanks around.
func token(e *etree.Element) (string, error) {
	t, err := text(e)
	return strings.TrimSpace(t), err
}

// instant is the time in an attribute (SAML Core 2.0, 1.3.3); zero if there is none.
func instant(e *etree.Element, name string) (time.Time, error) {
	value := attribute(e, name)
	if value == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s of %s is no time", name, e.Tag)
	}
	return t, nil
}

// errVersion says that something is of another version of SAML, or has no id.
var errVersion = errors.New("another version of SAML, or no ID")

// identified checks what every message and assertion has.
func identified(e *etree.Element) error {
	if attribute(e, "Version") != version || attribute(e, "ID") == "" {
		return errVersion
	}
	return nil
}
