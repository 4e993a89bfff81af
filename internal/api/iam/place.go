package iam

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// place is where the n-th statement, from 1, of a policy's text begins and ends: lines and columns from 1, the end being the place after its last character.
func place(text string, n int) (start, end *types.Position) {
	d := json.NewDecoder(strings.NewReader(text))
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return nil, nil
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		case "Statement":
			if depth == 1 && followed(text, d.InputOffset(), ':') {
				return among(d, text, n)
			}
		}
	}
}

// followed says whether the next character at an offset, white space aside, is that one.
func followed(text string, at int64, by byte) bool {
	rest := strings.TrimLeft(text[at:], " \t\r\n")
	return rest != "" && rest[0] == by
}

// among finds the n-th statement of a list, or the only one, which the decoder stands before.
func among(d *json.Decoder, text string, n int) (start, end *types.Position) {
	at := d.InputOffset() + int64(strings.IndexByte(text[d.InputOffset():], ':')) + 1
	if followed(text, at, '[') {
		if _, err := d.Token(); err != nil {
			return nil, nil
		}
	}
	var statement json.RawMessage
	for range n {
		if err := d.Decode(&statement); err != nil {
			return nil, nil
		}
	}
	last := int(d.InputOffset())
	return position(text, last-len(statement)), position(text, last)
}

// position is an offset as a line and a column.
func position(text string, at int) *types.Position {
	before := text[:at]
	return &types.Position{Line: int32(strings.Count(before, "\n") + 1), Column: int32(len(before) - strings.LastIndexByte(before, '\n'))}
}
