package postgres

// ParseStat is parseStat.
var ParseStat = parseStat
