-- SPDX-License-Identifier: Apache-2.0
-- Where `kind: clickhouse` destinations write: the published rows of any number of aggregators, one place. A row that
-- comes twice has the same id and leaves one once parts are merged; `FINAL` leaves one at once.
-- label1 and label2 are the values of the table's dimensions in the plan's order; row is 'other' for what is left over.
-- A measure is NULL where it was not published: hidden is not zero. people are to be read by profile: `crowd` at least so
-- many, `noise` with noise of variance l0 / (2 rho).
--
-- One server: statements 1 and 2. A cluster: 1, 3 and 4 on every server, with a cluster `winnow` and the macros {shard}
-- and {replica} in its configuration; destinations then say `account: winnow.rows_all`. Rows of a site stay on one shard.

-- 1
CREATE DATABASE IF NOT EXISTS winnow;

-- 2: one server
CREATE TABLE IF NOT EXISTS winnow.rows
(
    id String, site String, `table` String, day Date, zone String, window_start DateTime,
    label1 String, label2 String, row String,
    people UInt64, events Nullable(UInt64), sessions Nullable(UInt64), bounces Nullable(UInt64), seconds Nullable(UInt64),
    number1 Nullable(UInt64), number2 Nullable(UInt64),
    profile String, rho_micro UInt32, k UInt8, plan_version UInt32, policy_version UInt32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (site, `table`, day, id);

-- 3: every server of a cluster
CREATE TABLE IF NOT EXISTS winnow.rows
(
    id String, site String, `table` String, day Date, zone String, window_start DateTime,
    label1 String, label2 String, row String,
    people UInt64, events Nullable(UInt64), sessions Nullable(UInt64), bounces Nullable(UInt64), seconds Nullable(UInt64),
    number1 Nullable(UInt64), number2 Nullable(UInt64),
    profile String, rho_micro UInt32, k UInt8, plan_version UInt32, policy_version UInt32
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/winnow/rows', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (site, `table`, day, id);

-- 4: what is written to and read from
CREATE TABLE IF NOT EXISTS winnow.rows_all AS winnow.rows
ENGINE = Distributed(winnow, winnow, rows, cityHash64(site));
