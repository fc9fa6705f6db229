package registration

import (
	"fmt"

	"google.golang.org/protobuf/proto"
)

// IsTable reports whether a meta table is of this package.
func IsTable(table string) bool { return table == statementsTable || IsRevocation(table) }

// CheckRecord reports why a record of a table of this package does not decode.
func CheckRecord(table, id string, raw []byte) error {
	var m proto.Message = &RevokedRecord{}
	if table == statementsTable {
		m = &StatementRecord{}
	}
	if err := proto.Unmarshal(raw, m); err != nil {
		return fmt.Errorf("record %s of table %s: %w", id, table, err)
	}
	return nil
}
