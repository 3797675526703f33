-- Version 2 of the schema: several orchestrators share the store. A network is cut into shards, of which each is
-- one node's at a time. What the lease promises rests on two row locks: a node's own, which every write of it
-- takes first (renew), and which whoever declares it dead takes, too; and a job's, which gives its events their
-- numbers.

create table shards (shard int primary key, node text, epoch bigint not null) with (fillfactor = 50);
insert into shards select generate_series(0, 1023), null, 0;
create sequence epochs;

-- Two bytes a host, its shard; and the epoch of the shard under which an event was kept.
alter table jobs add column shards bytea;
alter table events add column epoch bigint;

-- --- nodes

create or replace function leave(me text) returns void language sql
set search_path = orchestrator, pg_temp as $$
  update nodes set dead = true where id = me;
  update shards set node = null where node = me
$$;

-- Beside whoever is there.
create function join_others(me text, at_place text, as_version int, now_s bigint)
returns table (epoch bigint, is_new bool, alive_ms bigint) language plpgsql
set search_path = orchestrator, pg_temp as $$
#variable_conflict use_column
declare m meta; last bigint; begin
  select * from meta into m for update;
  last := coalesce((select max(n.alive_ms) from nodes n), 0);
  insert into nodes (id, beat, held, alive_ms, dead, hungry, version, place)
  values (me, 0, '{}', 0, false, false, as_version, at_place);
  delete from nodes n where n.dead and n.nth < (select max(nth) from nodes) - 100;
  delete from images i where not exists (select from jobs j where j.id = i.id)
                         and not exists (select from nodes n where n.id = i.node and not n.dead);
  update meta set epoch = greatest(m.epoch + 1, now_s);
  return query select greatest(m.epoch + 1, now_s), m.epoch = 0, last;
end $$;

-- What a node wants of its lease; returns the shards that it has then. An epoch is greater than any before, also
-- behind the promotion of a standby that lacks the last of them: the timeline comes first.
create function lease(me text, b bigint, at bigint, is_hungry bool, gives_all bool, gives int[], who text,
                      seen bigint, want int)
returns table (shards int[], epochs bigint[]) language plpgsql set search_path = orchestrator, pg_temp as $$
#variable_conflict use_column
begin
  perform renew(me, b, false, at);
  update nodes set hungry = is_hungry where id = me and hungry <> is_hungry;
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

create function create_shared(me text, b bigint, at bigint, i text, k text, ta text, rq text, ho bigint,
                              st smallint, ou smallint, tx text, cr bigint, sa bigint, en bigint, p int, y bytea,
                              sh bytea)
returns table (number bigint, is_kept bool) language plpgsql set search_path = orchestrator, pg_temp as $$
#variable_conflict use_column
begin
  select c.number, c.is_kept from create_job(me, b, at, i, k, ta, rq, ho, st, ou, tx, cr, sa, en, p, y) c
    into number, is_kept;
  if is_kept then
    update jobs j set shards = sh where j.number = create_shared.number;
  end if;
  return next;
end $$;

-- Whether a job may come into a state. Several nodes may want to bring it into different ones at the same time:
-- what has been cancelled is not resumed by who has not heard of it, nor what is paused by who says that it waits, and a job ends once, as what it was stopped
-- for if it was.
create function may_enter(was smallint, becomes smallint, ends_as smallint, ep bigint) returns bool
language sql immutable as $$
  select case becomes when 1 then was = 1 or was = 3 and ep is null when 2 then was = 1 when 3 then was in (1, 2)
                      when 4 then was in (1, 2, 3) else was <> 5 and (was = 4) = (ends_as in (3, 4)) end
$$;

-- As append() of version 1, with the epochs of the events; a job's own change that may not be is held as well.
create function append_shared(me text, b bigint, at bigint, op int[], jb bigint[], ki smallint[], wa bigint[],
                              ho bigint[], tr smallint[], re smallint[], du bigint[], st smallint[],
                              ou smallint[], ve text[], tx text[], ep bigint[], a_re bool[] default '{}',
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
    update nodes m set held = append_shared.held where id = me;
  end if;
  if cardinality(a_re) > 0 then
    perform add_audit(a_re, a_wa, a_st, a_wh, a_so, a_me, a_pa, a_jo, keep_refused, keep);
  end if;
  return next;
end $$;
