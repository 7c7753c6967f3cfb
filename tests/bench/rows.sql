-- Rows for measures of pages (_rows.py). n is the number of a Space, from 1, and h its hash. Hosts go by tens of rows, so
-- each has as many of each last digit. A third of the few Spaces have a topic, of the many 2 %%: enough to fill a page.
-- `ordinal` is a word that one Space has, and with which no other word begins.

INSERT INTO archive_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
    date_joined, time_zone, time_zone_chosen, unmailed_kinds, session_generation)
SELECT n, '!', false, 'user' || n, 'User', n::text, 'user' || n || '@example.org', false, true,
    now() - n * interval '1 minute', '', false, '[]', 0
FROM generate_series(%(first_user)s::int, %(last_user)s::int) n;

CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT n, h, gen_random_uuid() AS id, n %% 10 < 3 AS kept, host_id, topic, ordinal,
    kept AND CASE WHEN small THEN n %% 10 IN (1, 2) ELSE h %% 300 = 1 END AS flagged,
    kept AND CASE WHEN small THEN n %% 10 = 0 ELSE h %% 300 = 2 END AS held,
    kept AND CASE WHEN small THEN n %% 10 = 1 ELSE h %% 900 = 1 END AS appealed,
    kept AND CASE WHEN small THEN n / 10 %% 2 = 0 ELSE h / 900 %% 10 < 3 END AS to_review,
    now() + CASE WHEN NOT kept THEN - n * interval '20 seconds'
        WHEN small THEN interval '1 hour' + n * interval '8 days' / 1000
        ELSE interval '1 hour' + (h %% 1000003) * interval '30 days' / 1000003 END AS ends
FROM (
    SELECT n, h, small, n %% 10 < 3 AS kept, topics[1 + h / 7 %% CASE WHEN small THEN 3 ELSE 50 END] AS topic,
        n || 'th' AS ordinal, CASE
        WHEN CASE WHEN small THEN n / 10 %% 5 < 2 ELSE n / 10 %% 600 < 12 END THEN %(busy)s
        WHEN CASE WHEN small THEN n / 10 %% 5 < 4 ELSE n / 10 %% 600 < 112 END THEN %(huge)s
        ELSE %(first_other)s + h %% %(others)s END AS host_id
    FROM (
        SELECT n, abs(hashint4(n)) AS h, n <= %(small)s AS small FROM generate_series(%(first)s, %(last)s) n
    ) AS numbers, (SELECT array_agg('topic' || chr(97 + t %% 26) || t) AS topics FROM generate_series(1, 50) t) AS words
) AS placed;

INSERT INTO archive_space (id, host_id, title, audience, ended_at, expires_at, deadline_reasons, transcribe, state,
    processing_step, processing_step_done, processing_step_total, fingerprint, salt, attempts, unforeseen, fence,
    problem, deleted_at, is_flagged, is_appealed, title_key, duration_ms, listeners_total, reviewed_at, reviewed_by_id,
    reported_cause)
SELECT id, host_id, CASE WHEN kept THEN 'Evening ' || topic || ' ' || ordinal ELSE '' END, '', ends - interval '30 days',
    CASE WHEN NOT held THEN ends END, '[{"code": "base", "days": 30}]', false,
    CASE WHEN kept THEN 'available' ELSE 'deleted' END, '', 0, 0, '',
    CASE WHEN kept THEN repeat('0b', 32) ELSE '' END, 0, 0, 0, '{}', CASE WHEN NOT kept THEN ends END, flagged, appealed,
    CASE WHEN kept THEN lower('Evening ' || topic || ' ' || ordinal) END, CASE WHEN kept THEN 60000 + h %% 7200000 END,
    CASE WHEN kept THEN h / 11 %% 5000 END, CASE WHEN NOT to_review THEN now() - h %% 1000 * interval '1 minute' END,
    CASE WHEN NOT to_review THEN %(admin)s END, ''
FROM made;

INSERT INTO archive_spaceindex (space_id, vector)
SELECT id, array_to_tsvector(
    ARRAY['evening', topic, ordinal, 'user' || host_id, '@' || host_id, '#' || replace(id::text, '-', '')])
FROM made WHERE kept;

INSERT INTO archive_participant (space_id, role, seat, name, account, user_id)
SELECT id, role, 1, 'User ' || account, '', account FROM made, LATERAL (VALUES
    ('host', host_id), ('speaker', %(first_other)s + h / 13 %% %(others)s),
    ('cohost', CASE WHEN n %% 50 = 0 THEN %(busy)s WHEN n %% 50 IN (1, 2) THEN %(huge)s ELSE %(first_other)s + h / 17 %% %(others)s END)
) AS seats (role, account) WHERE kept;

INSERT INTO archive_recording (space_id, number, key, size, sha256, crc32, etag, created_at, extension, content_type, codec,
    duration_ms, sample_rate, channels, silent_ms, outline, notes, chapters)
SELECT id, 1, 'spaces/' || id || '/recording-1.m4a', 1000000, repeat('0', 64), 1, 'e', now(), 'm4a', 'audio/mp4', 'aac',
    60000 + h %% 7200000, 48000, 1, 0, '[]', '[]', '[]'
FROM made WHERE kept;

WITH transcripts AS (
    INSERT INTO archive_transcript (space_id, number, key, size, sha256, crc32, etag, created_at, language, source, cues, notes)
    SELECT id, 1, 'spaces/' || id || '/1.en.vtt', 1000, repeat('0', 64), 1, 'e', now(), 'en', 'uploaded', jsonb_build_array(
        jsonb_build_object('start_ms', 0, 'end_ms', 900, 'speaker', 'User ' || host_id, 'text', 'Good evening, everybody.'),
        jsonb_build_object('start_ms', 900, 'end_ms', 2000, 'speaker', 'User ' || host_id, 'text', 'Today ' || topic || ', number ' || ordinal || '.')
    ), '[]' FROM made WHERE kept RETURNING id, space_id
)
INSERT INTO archive_searchline (transcript_id, space_id, number, config, vector)
SELECT transcripts.id, made.id, number, 'english', words || array_to_tsvector(ARRAY['@' || host_id]) FROM transcripts JOIN made ON made.id = space_id, LATERAL (VALUES
    (0, $$'good':1A 'even':2A 'everybodi':3A$$::tsvector),
    (1, ('''today'':1A ''' || topic || ''':2A ''number'':3A ''' || ordinal || ''':4A')::tsvector)
) AS lines (number, words);

WITH flags AS (
    INSERT INTO archive_violation (space_id, rule_id, state, reason, flagged_by_id, flagged_at, lift_reason, evidence)
    SELECT id, (SELECT min(id) FROM archive_rule), CASE WHEN appealed THEN 'appealed' ELSE 'standing' END, 'Watches.',
        %(admin)s, now() - h %% 1000 * interval '1 minute', '', '[]'
    FROM made WHERE flagged RETURNING id, space_id, state
)
INSERT INTO archive_appeal (violation_id, state, statement, created_by_id, created_at, decision_reason, decided_by_id,
    decided_at)
SELECT flags.id, CASE WHEN state = 'appealed' THEN 'open' ELSE 'denied' END, 'No.', host_id, now(), '',
    CASE WHEN state <> 'appealed' THEN %(admin)s END,
    CASE WHEN state <> 'appealed' THEN now() - h %% 1000 * interval '1 minute' END
FROM flags JOIN made ON made.id = space_id;

INSERT INTO archive_hold (space_id, state, reason, case_number, review_on, placed_by_id, placed_at, release_reason)
SELECT id, 'standing', 'A court asked for it.', '', current_date + h %% 300, %(admin)s, now(), '' FROM made WHERE held;

INSERT INTO archive_notice (id, kind, user_id, space_id, subject_id, deadline, state, created_at, sent_at, problem,
    attempts, unforeseen, fence, reported_cause)
SELECT gen_random_uuid(), CASE WHEN kept THEN 'due-7-days' ELSE 'deleted' END, host_id, id, '',
    CASE WHEN kept THEN ends END, 'sent', ends - interval '7 days', ends, '{}', 0, 0, 0, ''
FROM made WHERE NOT held AND (NOT kept OR ends < now() + interval '7 days');

INSERT INTO archive_deletioncertificate (space_id, key_id, document, issued_at)
SELECT id, repeat('0', 64), '{}', ends FROM made WHERE NOT kept;

INSERT INTO archive_logentry (event, premis, at, space_id, actor_kind, detail)
SELECT CASE entry %% 3 WHEN 0 THEN 'space.registered' WHEN 1 THEN 'space.available' ELSE 'upload.accepted' END,
    'accession', ends - interval '30 days' + entry * interval '1 minute', id, 'system', '{"deadline": "2026-11-22T20:00:00Z"}'
FROM made, generate_series(1, %(entries)s) entry;
