-- Rows that can't be brought, or not as they are, beside the sound ones of rows.sql. Each has 'bad'
-- or a 9 in its place.
INSERT INTO users (id, name, email_address, created_at, _password, password_changed_at, state,
    auth_type, email_access_validated_at) VALUES
    ('a9000000-0000-4000-8000-000000000001', 'Zed', 'zed@rivers.example.org', '2020-01-01', 'x',
        '2020-01-01', 'blocked', 'sms_auth', '2020-01-01'),
    ('a9000000-0000-4000-8000-000000000002', '', 'nameless@rivers.example.org', '2020-01-01', 'x',
        '2020-01-01', 'active', 'sms_auth', '2020-01-01'),
    ('a9000000-0000-4000-8000-000000000003', 'Yan', 'yan@rivers.example.org', 'infinity', 'x',
        '2020-01-01', 'active', 'sms_auth', '2020-01-01');
INSERT INTO services (id, name, created_at, active, restricted, created_by_id) VALUES
    ('59000000-0000-4000-8000-000000000001', 'Of nobody', '2020-01-01', TRUE, FALSE,
        'a9000000-0000-4000-8000-000000000001'),
    ('59000000-0000-4000-8000-000000000002', 'Loud', '2020-01-01', TRUE, FALSE,
        'a0000000-0000-4000-8000-000000000001');
INSERT INTO service_broadcast_settings VALUES
    ('59000000-0000-4000-8000-000000000002', 'loudest', 'all', '2020-01-01', NULL);
INSERT INTO user_to_service VALUES
    ('a9000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001');
INSERT INTO api_keys (id, name, secret, service_id, key_type, created_at, created_by_id) VALUES
    ('c9000000-0000-4000-8000-000000000001', 'forged',
        'ImY1YjFlMGE4LTExMTEtNGMzYy05ZDNhLTBjMWYzYTdkMmIxMSI.XDOURUhU71z4cEPxY_6U5UvPB8M',
        '50000000-0000-4000-8000-000000000001', 'normal', '2020-01-01',
        'a0000000-0000-4000-8000-000000000001');
INSERT INTO template_folder VALUES
    ('f9000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001', 'Round',
        'f9000000-0000-4000-8000-000000000001');
INSERT INTO broadcast_message (id, service_id, content, areas, status, finishes_at, starts_at,
    created_at, created_by_id, stubbed) VALUES
    ('b9000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001',
        repeat('a', 1396), '{}', 'draft', NULL, NULL, '2021-01-01',
        'a0000000-0000-4000-8000-000000000001', FALSE),
    ('b9000000-0000-4000-8000-000000000002', '50000000-0000-4000-8000-000000000001', 'Crossed',
        '{"simple_polygons": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]}', 'pending-approval', NULL,
        NULL, '2021-01-01', 'a0000000-0000-4000-8000-000000000001', FALSE),
    ('b9000000-0000-4000-8000-000000000003', '50000000-0000-4000-8000-000000000001', 'Nowhere',
        '{"simple_polygons": "everywhere"}', 'draft', NULL, NULL, '2021-01-01',
        'a0000000-0000-4000-8000-000000000001', FALSE),
    ('b9000000-0000-4000-8000-000000000004', '50000000-0000-4000-8000-000000000001', 'Unknown', '{}',
        'approved', NULL, NULL, '2021-01-01', 'a0000000-0000-4000-8000-000000000001', FALSE),
    ('b9000000-0000-4000-8000-000000000005', NULL, 'Of no service', '{}', 'draft', NULL, NULL,
        '2021-01-01', 'a0000000-0000-4000-8000-000000000001', FALSE),
    ('b9000000-0000-4000-8000-000000000006', '50000000-0000-4000-8000-000000000001', 'Of nobody',
        '{}', 'draft', NULL, NULL, '2021-01-01', NULL, FALSE),
    -- On the air, as it says: without an end, with an instruction of tomorrow, with a message whose
    -- state nobody knows, and one that could be sent again with an area that crosses itself.
    ('b9000000-0000-4000-8000-000000000007', '50000000-0000-4000-8000-000000000001', 'Endless',
        '{}', 'broadcasting', NULL, timestamp '@NOW@', '2021-01-01',
        'a0000000-0000-4000-8000-000000000001', FALSE),
    ('b9000000-0000-4000-8000-000000000008', '50000000-0000-4000-8000-000000000001', 'Tomorrow',
        '{}', 'broadcasting', timestamp '@NOW@' + interval '2 days', timestamp '@NOW@', '2021-01-01',
        'a0000000-0000-4000-8000-000000000001', FALSE),
    ('b9000000-0000-4000-8000-000000000009', '50000000-0000-4000-8000-000000000001', 'Lost', '{}',
        'broadcasting', timestamp '@NOW@' + interval '2 hours', timestamp '@NOW@', '2021-01-01',
        'a0000000-0000-4000-8000-000000000001', FALSE),
    ('b9000000-0000-4000-8000-000000000010', '50000000-0000-4000-8000-000000000001', 'Crossed live',
        '{"simple_polygons": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]}', 'broadcasting',
        timestamp '@NOW@' + interval '2 hours', timestamp '@NOW@', '2021-01-01',
        'a0000000-0000-4000-8000-000000000001', FALSE);
INSERT INTO broadcast_event
    SELECT ('d9' || substr(CAST(id AS TEXT), 3))::uuid, service_id, id,
        timestamp '@NOW@' + CASE WHEN content = 'Tomorrow' THEN interval '1 day' ELSE interval '0' END,
        'alert', jsonb_build_object('body', content), areas, 'x', starts_at, finishes_at
    FROM broadcast_message WHERE CAST(id AS TEXT) LIKE 'b9%' AND status = 'broadcasting'
        AND content <> 'Endless';
INSERT INTO broadcast_provider_message VALUES
    ('f9000000-0000-4000-8000-000000000009', 'd9000000-0000-4000-8000-000000000009', 'ee', 'mislaid',
        '2021-01-01', NULL);
