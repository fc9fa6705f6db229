package examples

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// check judges a chain of comparisons such as "1 <= a-b < c": each neighbouring
// pair must hold.
func check(condition string, fields map[string]any) error {
	operators := comparison.FindAllString(condition, -1)
	sides := comparison.Split(condition, -1)
	if len(operators) == 0 {
		return fmt.Errorf("no comparison")
	}
	values := make([]float64, len(sides))
	for i, side := range sides {
		var err error
		if values[i], err = evaluate(side, fields); err != nil {
			return err
		}
	}
	for i, operator := range operators {
		if !compare(values[i], operator, values[i+1]) {
			return fmt.Errorf("%v %s %v is false", values[i], operator, values[i+1])
		}
	}
	return nil
}

var comparison = regexp.MustCompile(`<=|>=|==|<|>`)

func compare(a float64, operator string, b float64) bool {
	switch operator {
	case "<=":
		return a <= b
	case ">=":
		return a >= b
	case "<":
		return a < b
	case ">":
		return a > b
	}
	return a == b
}

// equalsExpr compares a number with an expression over the body, in which
// jwt.x is a claim of the token in serviceToken.
func (m *matching) equalsExpr(expression string, got any) error {
	fields := map[string]any{}
	if object, ok := m.root.(map[string]any); ok {
		for name, value := range object {
			fields[name] = value
		}
		if token, ok := object["serviceToken"].(string); ok {
			if _, payload, err := claims(token); err == nil {
				fields["jwt"] = payload
			}
		}
	}
	want, err := evaluate(expression, fields)
	if err != nil {
		return err
	}
	number, err := evaluate(text(got), nil)
	if err != nil {
		return err
	}
	if number != want {
		return fmt.Errorf("%s is %v", expression, want)
	}
	return nil
}

// evaluate computes sums of products of numbers and fields: "a-b", "jwt.nbf*1000".
func evaluate(expression string, fields map[string]any) (float64, error) {
	sum := 0.0
	for part := range strings.SplitSeq(strings.ReplaceAll(expression, "-", "+-"), "+") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		sign := 1.0
		if negative, ok := strings.CutPrefix(part, "-"); ok {
			part, sign = negative, -1
		}
		product := sign
		for factor := range strings.SplitSeq(part, "*") {
			value, err := operand(strings.TrimSpace(factor), fields)
			if err != nil {
				return 0, err
			}
			product *= value
		}
		sum += product
	}
	return sum, nil
}

func operand(word string, fields map[string]any) (float64, error) {
	if value, err := strconv.ParseFloat(word, 64); err == nil {
		return value, nil
	}
	value, ok := lookup(fields, word)
	if !ok {
		return 0, fmt.Errorf("no field %q", word)
	}
	number, ok := value.(json.Number)
	if !ok {
		return 0, fmt.Errorf("field %q is no number", word)
	}
	return number.Float64()
}
