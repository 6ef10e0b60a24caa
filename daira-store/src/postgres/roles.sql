-- The roles of the cluster, made once and shared by all its databases. None of those that programs use bypasses row
-- security; the one that dumps does, and cannot log in until an operator lets it.
do $$
declare one text;
begin
    foreach one in array array['daira_owner', 'daira_app', 'daira_worker', 'daira_reader', 'daira_backup'] loop
        if not exists (select from pg_roles where rolname = one) then
            execute format('create role %I nologin nosuperuser nocreatedb nocreaterole inherit', one);
        end if;
    end loop;
    if not pg_has_role('daira_owner', 'daira_reader', 'member') then
        grant daira_reader to daira_owner;
    end if;
    if not pg_has_role(current_user, 'daira_owner', 'member') then
        execute format('grant daira_owner to %I', current_user);
    end if;
    if not (select rolbypassrls from pg_roles where rolname = 'daira_backup') then
        begin
            alter role daira_backup bypassrls;
        exception when insufficient_privilege then
            raise notice 'daira_backup cannot be let past row security: dumps will fail rather than be partial';
        end;
    end if;
    foreach one in array array['daira_app', 'daira_worker'] loop
        -- One plan for every value, pruned when it starts; never a compiler for a query of a millisecond.
        execute format('alter role %I set plan_cache_mode = force_generic_plan', one);
        execute format('alter role %I set jit = off', one);
        execute format('alter role %I set random_page_cost = 1.1', one);
        execute format('alter role %I set search_path = pg_catalog', one);
        execute format('alter role %I set idle_in_transaction_session_timeout = ''30s''', one);
        execute format('alter role %I set lock_timeout = ''3s''', one);
    end loop;
    alter role daira_app set statement_timeout = '5s';
    alter role daira_worker set statement_timeout = '60s';
end $$;
