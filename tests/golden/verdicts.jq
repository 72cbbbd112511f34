# EXPERIMENT TRANSPORT DELIVERY VERDICT, from run --json. Anew, from the top:
#	build/ooblab run --json --inline=both --transport tcp4,tcp6,unix |
#	jq -rf tests/golden/verdicts.jq >tests/golden/verdicts.txt
select(.event == "verdict") |
	"\(.experiment) \(.transport) \(
		if .inline then "inline" else "out-of-band" end) \(.verdict)"
