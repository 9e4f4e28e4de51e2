"""Where records come from: PostgreSQL, git repositories (GitHub first of all), ITS.

Each source works in two steps. `look_…` does all that needs the network, into a cache folder, and gives a snapshot whose `key`
changes exactly when what would be read does; `read_…` turns the snapshot into tables of records, in bounded memory. Both write
into a `Report` what they could not use, so that nothing is lost without a trace.
"""
