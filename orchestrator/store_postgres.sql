-- Version 1 of the schema of a store in PostgreSQL. It is sent as it stands here, in one transaction, with
-- the schema as its search_path. Every write is one call of one of these functions, so one transaction in one
-- round trip: whoever dies meanwhile leaves no lock behind. Locks are taken in one order: the node, another that
-- it declares dead, shards, jobs by number, meta.
--
-- Any number of nodes share the store. A network is cut into shards, of which each is one node's at a time. What
-- the lease promises rests on two row locks: a node's own, which every write of it takes first (renew), and which
-- whoever declares it dead takes, too; and a job's, which gives its events their numbers.

create table meta (one int primary key check (one = 1), program text not null, version int not null,
                   epoch bigint not null, jobs bigint not null, audit bigint not null)
                  with (fillfactor = 50);
insert into meta values (1, 'orchestrator', 0, 0, 0, 0);

-- Each start has a row. beat is its heartbeat, what fences it off, and the number of its last batch.
-- held: places in that batch, of events that were not kept. place says to people who it is.
create table nodes (nth bigint generated always as identity primary key, id text not null unique,
                    beat bigint not null, held int[] not null, alive_ms bigint not null,
                    dead bool not null, hungry bool not null, ready bool not null, version int not null,
                    place text not null) with (fillfactor = 50);

create table shards (shard int primary key, node text, epoch bigint not null) with (fillfactor = 50);
insert into shards select generate_series(0, 1023), null, 0;
create sequence epochs;

-- shards: two bytes a host, its shard.
create table jobs (number bigint primary key, id text not null unique, key text unique, task text not null,
                   hosts bigint not null, changed bigint not null, unchanged bigint not null,
                   failed bigint not null, skipped bigint not null, n bigint not null,
                   state smallint not null, outcome smallint not null, text text,
                   created_ms bigint not null, started_ms bigint not null, ended_ms bigint not null,
                   shards bytea) with (fillfactor = 50);
create index jobs_open on jobs (number) where state <> 5;
create table bodies (job bigint primary key, request text not null);
-- In pieces, which may be there before their job is.
create table images (id text, piece int, node text not null, bytes bytea not null, primary key (id, piece));
alter table images alter column bytes set storage external;

-- epoch: of the shard under which the event was kept.
create table events (job bigint, n bigint, wall_ms bigint not null, kind smallint not null, host bigint,
                     attempt smallint, result smallint, ms bigint, state smallint, outcome smallint,
                     version text, text text, epoch bigint, primary key (job, n));
-- Jobs that are dropped, and some of whose events are still there.
create table dropped (job bigint primary key);

-- nth: the number among those that were refused, or among the others, without a gap.
create table audit (n bigint primary key, refused bool not null, nth bigint not null,
                    wall_ms bigint not null, status int not null, who text, source text not null,
                    method text not null, path text not null, job text, unique (refused, nth));

-- --- nodes

-- The first statement of every write. Its row lock makes it wait for whatever of this node is still under way,
-- and makes whoever declares it dead wait for it. at: the time to keep; again: under the number of the last batch.
create function renew(me text, b bigint, again bool, at bigint) returns void language plpgsql
set search_path = orchestrator, pg_temp as $$
begin
  update nodes set beat = b, held = '{}', alive_ms = coalesce(at, alive_ms)
   where id = me and not dead and beat = case when again then b else b - 1 end;
  if not found then
    raise exception 'this node was taken for dead' using errcode = 'OR001';
  end if;
end $$;

-- How far a node has come, and the last events of some jobs. It writes, so that where there are synchronous
-- standbys, what it tells of is there as well.
create function look(me text, jb bigint[])
returns table (beat bigint, dead bool, held int[], jobs bigint[], lasts bigint[]) language plpgsql
set search_path = orchestrator, pg_temp as $$
#variable_conflict use_column
begin
  update nodes set hungry = hungry where id = me;
  return query
    select m.beat, m.dead, m.held, j.jobs, j.lasts from nodes m,
           (select array_agg(number) as jobs, array_agg(n) as lasts from jobs where number = any (jb)) j
     where m.id = me;
end $$;

-- A start comes in beside whoever is there.
create function enter(me text, at_place text, as_version int, now_s bigint)
returns table (epoch bigint, is_new bool, alive_ms bigint) language plpgsql
set search_path = orchestrator, pg_temp as $$
#variable_conflict use_column
declare m meta; last bigint; begin
  select * from meta into m for update;
  last := coalesce((select max(n.alive_ms) from nodes n), 0);
  insert into nodes (id, beat, held, alive_ms, dead, hungry, ready, version, place)
  values (me, 0, '{}', 0, false, false, false, as_version, at_place);
  delete from nodes n where n.dead and n.nth < (select max(nth) from nodes) - 100;
  delete from images i where not exists (select from jobs j where j.id = i.id)
                         and not exists (select from nodes n where n.id = i.node and not n.dead);
  update meta set epoch = greatest(m.epoch + 1, now_s);
  return query select greatest(m.epoch + 1, now_s), m.epoch = 0, last;
end $$;

create function leave(me text) returns void language sql
set search_path = orchestrator, pg_temp as $$
  update nodes set dead = true where id = me;
  update shards set node = null where node = me
$$;

-- What a node wants of its lease; returns the shards that it has then. An epoch is greater than any before, also
-- behind the promotion of a standby that lacks the last of them: the timeline comes first. Another node is
-- declared dead only if it has not moved since it was looked at.
create function lease(me text, b bigint, at bigint, is_hungry bool, is_ready bool, gives_all bool, gives int[], who text,
                      seen bigint, want int)
returns table (shards int[], epochs bigint[]) language plpgsql set search_path = orchestrator, pg_temp as $$
#variable_conflict use_column
begin
  perform renew(me, b, false, at);
  update nodes set hungry = is_hungry, ready = is_ready
   where id = me and (hungry <> is_hungry or ready <> is_ready);
  update shards set node = null where node = me and (gives_all or shard = any (gives));
  if who is not null then
    update nodes set dead = true where id = who and beat = seen and not dead;
    if found then
      update shards set node = null where node = who;
    end if;
  end if;
  if want > 0 then
    update shards s set node = me, epoch =
        ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint << 40 | nextval('epochs')
      from (select f.shard from shards f where node is null order by f.shard limit want for update skip locked) f
     where s.shard = f.shard;
  end if;
  return query select array_agg(s.shard order by s.shard), array_agg(s.epoch order by s.shard)
                 from shards s where s.node = me;
end $$;

-- --- jobs

create function add_piece(me text, b bigint, i text, p int, y bytea) returns void language plpgsql
set search_path = orchestrator, pg_temp as $$
begin
  perform renew(me, b, false, null);
  insert into images values (i, p, me, y);
end $$;

-- p, y: the last piece of its image, or its only one; y null: it has none.
create function create_job(me text, b bigint, at bigint, i text, k text, ta text, rq text, ho bigint,
                           st smallint, ou smallint, tx text, cr bigint, sa bigint, en bigint, p int, y bytea,
                           sh bytea)
returns table (number bigint, is_kept bool) language plpgsql set search_path = orchestrator, pg_temp as $$
#variable_conflict use_column
declare m meta; same bigint; begin
  perform renew(me, b, false, at);
  select * from meta into m for update;
  select j.number from jobs j where j.key = k into same;
  if found then
    delete from images where id = i;
    return query select same, false;
    return;
  end if;
  update meta set jobs = m.jobs + 1;
  insert into jobs values (m.jobs + 1, i, k, ta, ho, 0, 0, 0, 0, 0, st, ou, tx, cr, sa, en, sh);
  insert into bodies values (m.jobs + 1, rq);
  if y is not null then
    insert into images values (i, p, me, y);
  end if;
  return query select m.jobs + 1, true;
end $$;

create function forget(me text, b bigint, again bool, at bigint, i text) returns void language plpgsql
set search_path = orchestrator, pg_temp as $$
declare d bigint; begin
  perform renew(me, b, again, at);
  delete from jobs where id = i returning number into d;
  delete from bodies where job = d;
  delete from events where job = d;
  delete from images where id = i;
end $$;

-- Drops the oldest jobs that are done, down to `keep`, and so many rows of events at most. What an earlier
-- batch has left of a job goes before another is begun. Returns how many are left over.
create function retain(me text, b bigint, again bool, at bigint, keep bigint, rows bigint) returns bigint
language plpgsql set search_path = orchestrator, pg_temp as $$
declare excess bigint; d bigint; i text; k bigint; begin
  perform renew(me, b, again, at);
  select greatest(count(*) - keep, 0) from jobs where state = 5 into excess;
  while rows > 0 loop
    select min(job) from dropped into d;
    if d is null then
      exit when excess = 0;
      delete from jobs where number = (select min(number) from jobs where state = 5) returning number, id into d, i;
      delete from bodies where job = d;
      delete from images where id = i;
      insert into dropped values (d);
      excess := excess - 1;
    end if;
    delete from events where job = d and n <= (select max(n) from (select n from events where job = d order by n
                                                                   limit rows) x);
    get diagnostics k = row_count;
    rows := rows - k;
    if rows > 0 then
      delete from dropped where job = d;
    end if;
  end loop;
  return excess + (select count(*) from dropped);
end $$;

-- --- what happens

-- Lines of the audit; how many are kept of those that were refused, and of the others.
create function add_audit(re bool[], wa bigint[], st int[], wh text[], so text[], me text[], pa text[],
                          jo text[], keep_refused bigint, keep bigint) returns void language plpgsql
set search_path = orchestrator, pg_temp as $$
declare base bigint; begin
  update meta set audit = audit + cardinality(re) returning audit - cardinality(re) into base;
  insert into audit
    select base + u.o, u.re,
           coalesce((select max(a.nth) from audit a where a.refused = u.re), 0)
             + row_number() over (partition by u.re order by u.o),
           u.wa, u.st, u.wh, u.so, u.me, u.pa, u.jo
      from unnest(re, wa, st, wh, so, me, pa, jo) with ordinality u(re, wa, st, wh, so, me, pa, jo, o);
  delete from audit where refused and nth <= (select max(nth) from audit where refused) - keep_refused;
  delete from audit where not refused and nth <= (select max(nth) from audit where not refused) - keep;
end $$;

-- Whether a job may come into a state. Several nodes may want to bring it into different ones at the same time:
-- what has been cancelled is not resumed by who has not heard of it, nor what is paused by who says that it
-- waits, and a job ends once, as what it was stopped for if it was. store_job_may_enter() says the same in C.
create function may_enter(was smallint, becomes smallint, ends_as smallint, ep bigint) returns bool
language sql immutable as $$
  select case becomes when 1 then was = 1 or was = 3 and ep is null when 2 then was = 1 when 3 then was in (1, 2)
                      when 4 then was in (1, 2, 3) else was <> 5 and (was = 4) = (ends_as in (3, 4)) end
$$;

-- A batch of events, in order; op: their places in the batch. The row of a job is locked, so its events are
-- numbered densely, and an intent is kept only while it waits or runs (from version 2 on: runs): as of the event before it. A job's own
-- change that may not be is held as well. ep: the epochs of the events. Returns the numbers of the last events
-- of its jobs, and the places of those that were not kept.
-- a_...: lines of the audit, as add_audit() takes them.
create function append(me text, b bigint, at bigint, op int[], jb bigint[], ki smallint[], wa bigint[],
                       ho bigint[], tr smallint[], re smallint[], du bigint[], st smallint[], ou smallint[],
                       ve text[], tx text[], ep bigint[], a_re bool[] default '{}',
                       a_wa bigint[] default '{}', a_st int[] default '{}', a_wh text[] default '{}',
                       a_so text[] default '{}', a_me text[] default '{}', a_pa text[] default '{}',
                       a_jo text[] default '{}', keep_refused bigint default 0, keep bigint default 0)
returns table (jobs bigint[], lasts bigint[], held int[]) language plpgsql
set search_path = orchestrator, pg_temp as $$
#variable_conflict use_column
declare missing bigint; i bigint; was smallint; states jsonb := '{}'; begin
  perform renew(me, b, false, at);
  perform from jobs where number = any (jb) order by number for no key update;
  select d from (select distinct unnest(jb) as d) x
   where not exists (select from jobs where number = d) limit 1 into missing;
  if found then
    raise exception 'job % is not there', missing using errcode = 'OR002';
  end if;
  for i in select o from unnest(ki) with ordinality u(k, o) where k = 5 order by o loop
    was := coalesce((states ->> jb[i]::text)::smallint, (select j.state from jobs j where j.number = jb[i]));
    if may_enter(was, st[i], ou[i], ep[i]) then
      states := jsonb_set(states, array[jb[i]::text], to_jsonb(st[i]));
    else
      ki[i] := 0;
      st[i] := null;
    end if;
  end loop;
  with u as (
    select *, count(st) over (partition by jb order by o) as g
      from unnest(op, jb, ki, wa, ho, tr, re, du, st, ou, ve, tx, ep)
           with ordinality u(op, jb, ki, wa, ho, tr, re, du, st, ou, ve, tx, ep, o)
  ), s as (
    select u.*, j.n, coalesce(first_value(u.st) over (partition by u.jb, u.g order by u.o), j.state) as now
      from u join jobs j on j.number = u.jb
  ), k as (
    select s.*, s.ki <> 0 and (s.ki <> 2 or s.now in (1, 2)) as is_kept from s
  ), i as (
    insert into events (job, n, wall_ms, kind, host, attempt, result, ms, state, outcome, version, text, epoch)
    select k.jb, k.n + row_number() over (partition by k.jb order by k.o), k.wa, k.ki, k.ho, k.tr, k.re, k.du,
           k.st, k.ou, k.ve, k.tx, k.ep
      from k where k.is_kept
  ), a as (
    select k.jb, count(*) filter (where k.is_kept) as events,
           count(*) filter (where k.re = 2) as changed, count(*) filter (where k.re = 3) as unchanged,
           count(*) filter (where k.re = 4) as failed, count(*) filter (where k.re = 5) as skipped,
           max(k.o) filter (where k.ki = 5) as last,
           (array_agg(k.wa order by k.o) filter (where k.ki = 5 and k.st = 2))[1] as began,
           (array_agg(k.wa order by k.o desc) filter (where k.ki = 5 and k.st = 5))[1] as ended
      from k group by k.jb
  ), w as (
    update jobs j
       set n = j.n + a.events, changed = j.changed + a.changed, unchanged = j.unchanged + a.unchanged,
           failed = j.failed + a.failed, skipped = j.skipped + a.skipped,
           state = coalesce(st[a.last], j.state), outcome = coalesce(ou[a.last], j.outcome),
           text = case when a.last is null then j.text else tx[a.last] end,
           started_ms = case when j.started_ms = 0 then coalesce(a.began, 0) else j.started_ms end,
           ended_ms = coalesce(a.ended, j.ended_ms)
      from a where j.number = a.jb
    returning j.number, j.n
  )
  select (select array_agg(w.number order by w.number) from w), (select array_agg(w.n order by w.number) from w),
         (select array_agg(k.op order by k.o) from k where not k.is_kept)
    into jobs, lasts, held;
  if held is not null then
    update nodes m set held = append.held where id = me;
  end if;
  if cardinality(a_re) > 0 then
    perform add_audit(a_re, a_wa, a_st, a_wh, a_so, a_me, a_pa, a_jo, keep_refused, keep);
  end if;
  return next;
end $$;
