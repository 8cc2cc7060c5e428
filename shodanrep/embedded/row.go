package embedded

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// A row has the values of the columns that a request reads, in the order of request.read.
type row []*proto.Column

// row returns a row of the SDK, which may have more columns.
func (r *request) row(all *proto.Row) row {
	values := make(row, len(r.read))
	for index, column := range r.read {
		values[index] = all.Columns[r.table.Columns[column].Name]
	}
	return values
}

// value returns the value of a column of the table.
func (r *request) value(values row, column int) *proto.Column {
	if index := r.at[column]; index >= 0 {
		return values[index]
	}
	return nil
}

// rowSeed is the same for all cursors, so that equal rows have equal hashes.
var rowSeed = maphash.MakeSeed()

// hash returns a hash of all values. Scans of one reference to a table read the same columns.
func (r row) hash() uint64 {
	var h maphash.Hash
	h.SetSeed(rowSeed)
	var size [9]byte
	for _, value := range r {
		text := columnText(value)
		size[8] = 0
		if isNull(value) {
			size[8] = 1
		}
		binary.LittleEndian.PutUint64(size[:], uint64(len(text)))
		h.Write(size[:])
		h.WriteString(text)
	}
	return h.Sum64()
}
