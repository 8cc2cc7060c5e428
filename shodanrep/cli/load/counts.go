package load

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// isWanted is a condition of SQL: the address of a table has to be looked up, because there is no row of this policy
// that is new enough and whose last lookup succeeded, and no lookup that failed since a time. A row that was written
// since then counts as new in any case, so that no address is looked up again and again. A time that lies further ahead
// than a clock is ever set back is from a wrong clock, and would count as new for years. The policy is the parameter $1.
func (r *run) isWanted(of, olderThan, since string) string {
	const ahead = "now() + interval '1 day'"
	return fmt.Sprintf(`not exists (select from %s as r where r.ip = %s.ip and (r.failed_at between %s and %s
		or r.policy = $1::text and r.status <> 'error' and r.failed_at is null and r.loaded_at <= %[4]s and (r.fresh_from >= %[5]s or r.loaded_at >= %[3]s)))`,
		r.table, of, since, ahead, olderThan)
}

func (r *run) countWanted(ctx context.Context, conn *pgx.Conn) (n int64, err error) {
	err = conn.QueryRow(ctx, "select count(*) from "+addressTable+" as a where "+r.isWanted("a", "$2::timestamptz", "$3::timestamptz"), r.policy, r.olderThan, r.began).Scan(&n)
	return n, err
}

// countQueue counts the addresses in the queue, up to a limit if it is not 0.
func (r *run) countQueue(ctx context.Context, conn *pgx.Conn, limit int64) (n int64, err error) {
	err = conn.QueryRow(ctx, "select count(*) from (select from "+r.queue+" where policy = $1 limit nullif($2, 0)) as q", r.policy, limit).Scan(&n)
	return n, err
}

// count counts the rows of the addresses of the input.
func (r *run) count(ctx context.Context, conn *pgx.Conn) ([]Group, error) {
	rows, err := conn.Query(ctx, "select r.status, r.level, r.failed_at is not null, count(*) from "+addressTable+" as a join "+r.table+
		" as r on r.ip = a.ip group by 1, 2, 3 order by 4 desc, 1, 2, 3")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Group])
}
