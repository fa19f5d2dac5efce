package report

import (
	"context"
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// CountMembers counts the scope's offer members, as of now, without those who were removed from their offers. A creator
// in two offers counts twice.
func (s Scope) CountMembers(ctx context.Context, q Querier) (n int64, err error) {
	if s.Everybody() {
		return n, q.GetIn(ctx, &n, `SELECT COUNT(*) FROM offer_members WHERE removed_at IS NULL`)
	}
	from, f := s.memberTables()
	f.And("om.removed_at IS NULL")
	return n, q.GetIn(ctx, &n, "SELECT COUNT(*) FROM "+from+f.Where(), f.Args...)
}

// MembersWithConversions counts the scope's offer members who have an accepted conversion in the range. One that waits
// for an exchange rate does not count yet: it is in no sum either, and averages are sums divided by this.
func (r Report) MembersWithConversions(ctx context.Context, q Querier) (n int64, err error) {
	var f storage.Filter
	f.And("y.conversions > 0 AND y.converted AND y.currency = ?", string(r.Currency))
	if !r.Everybody() || r.Range.From != "" || r.Range.To != "" {
		if r.Range, err = boundedRange(ctx, q, r.Range, ""); err != nil || r.Range.Days() == 0 {
			return 0, err
		}
		inYears(&f, r.Range)
	}
	if !r.Everybody() {
		members, args := r.members("om.id")
		f.And("y.offer_member_id IN ("+members+")", args...)
	}
	return n, q.GetIn(ctx, &n, `SELECT COUNT(*) FROM (SELECT y.offer_member_id FROM member_years y`+f.Where()+` GROUP BY y.offer_member_id) x`, f.Args...)
}

// inYears narrows member_years y to those with a conversion on a day of the range, both of whose ends must be set.
func inYears(f *storage.Filter, r affiliate.Range) {
	years := yearsOf(r)
	f.And("y.year IN (?)", years)
	var days []string
	for _, year := range years {
		var months []string
		for month := 1; month <= 12; month++ {
			first := fmt.Sprintf("%s-%02d-01", year, month)
			if mask := dayMask(first, r); mask != 0 {
				months = append(months, fmt.Sprintf("(y.m%02d & %d)", month, mask))
			}
		}
		days = append(days, fmt.Sprintf("y.year = '%s' AND (%s) <> 0", year, strings.Join(months, " | ")))
	}
	if r.From[4:] != "-01-01" || r.To[4:] != "-01-01" { // else it is of whole years
		f.And("(" + strings.Join(days, " OR ") + ")")
	}
}

// yearsOf gives the years that a range has days of.
func yearsOf(r affiliate.Range) []string {
	var years []string
	for year := r.From[:4]; year <= r.Last()[:4]; {
		years = append(years, year)
		year = affiliate.NextDay(year + "-12-31")[:4]
	}
	return years
}

// dayMask has bit d-1 for each day d of the month beginning with first that is in the range.
func dayMask(first string, r affiliate.Range) (mask int64) {
	for bit, day := 0, first; day[:7] == first[:7]; bit, day = bit+1, affiliate.NextDay(day) {
		if r.Contains(day) {
			mask |= 1 << bit
		}
	}
	return mask
}
