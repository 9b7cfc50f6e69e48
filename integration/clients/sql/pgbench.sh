# Runs pgbench's own transactions in its three modes, and one connection per transaction.
#
# -j: a thread for each client. While pgbench prepares a statement it does nothing else in
# that thread; with more clients than servers it could wait for a server that another
# client of the same thread has.
set -euo pipefail

pgbench -i -q -s 1 "$DATABASE_URL" 2>/dev/null
for mode in simple extended prepared; do
	for more in "" "-C"; do
		out=$(pgbench -n -M $mode $more -c 8 -j 8 -t 40 "$DATABASE_URL" 2>&1) || {
			echo "pgbench -M $mode $more: $out" >&2
			exit 1
		}
		if ! grep -q 'transactions actually processed: 320/320' <<<"$out"; then
			echo "pgbench -M $mode $more: not all transactions: $out" >&2
			exit 1
		fi
	done
done
sums=$(psql -X -q -A -t "$DATABASE_URL" -c "SELECT (SELECT sum(abalance) FROM pgbench_accounts)
	= (SELECT sum(delta) FROM pgbench_history), (SELECT count(*) FROM pgbench_history)")
if [ "$sums" != "t|1920" ]; then
	echo "pgbench: balances and number of transactions: got $sums, want t|1920" >&2
	exit 1
fi
