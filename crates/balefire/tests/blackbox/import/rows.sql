-- A service with two people, a key, a template and alerts of each generation. Ids say what they are:
-- a… people, 5… services, c… keys, e… templates, b… alerts, d… events, f… messages.
INSERT INTO organisation VALUES ('01000000-0000-4000-8000-000000000001', 'Rivers', TRUE,
    '2020-01-01', NULL, NULL, 'central', NULL);
INSERT INTO domain VALUES ('rivers.example.org', '01000000-0000-4000-8000-000000000001');
INSERT INTO users (id, name, email_address, created_at, _password, mobile_number,
    password_changed_at, state, auth_type, email_access_validated_at) VALUES
    ('a0000000-0000-4000-8000-000000000001', 'Ann', 'Ann@rivers.example.org', '2020-01-01',
        '$2b$04$2yZRqXmultiXpNTVZbfgeewL/53oOx/ZLCUAGrQyo00pM40d8lVNO', '07700900111', '2020-01-01',
        'active', 'sms_auth', '2020-01-01'),
    ('a0000000-0000-4000-8000-000000000002', 'Bob', 'bob@rivers.example.org', '2020-01-01',
        '$2b$04$2yZRqXmultiXpNTVZbfgeewL/53oOx/ZLCUAGrQyo00pM40d8lVNO', '+447700900112',
        '2020-01-01', 'active', 'email_auth', '2020-01-01');
INSERT INTO user_to_organisation VALUES
    ('a0000000-0000-4000-8000-000000000001', '01000000-0000-4000-8000-000000000001');
INSERT INTO services (id, name, created_at, active, restricted, created_by_id, organisation_id)
    VALUES ('50000000-0000-4000-8000-000000000001', 'Floods', '2020-01-01', TRUE, FALSE,
        'a0000000-0000-4000-8000-000000000001', '01000000-0000-4000-8000-000000000001');
INSERT INTO service_broadcast_settings VALUES
    ('50000000-0000-4000-8000-000000000001', 'severe', 'all', '2020-01-01', NULL);
INSERT INTO service_permissions VALUES
    ('50000000-0000-4000-8000-000000000001', 'broadcast', '2020-01-01');
INSERT INTO user_to_service
    SELECT id, '50000000-0000-4000-8000-000000000001' FROM users;
INSERT INTO permissions SELECT gen_random_uuid(), '50000000-0000-4000-8000-000000000001', u.id, p, '2020-01-01'
    FROM users u, unnest(ARRAY['create_broadcasts', 'approve_broadcasts', 'cancel_broadcasts',
        'manage_settings']::permission_types[]) AS p;
INSERT INTO template_folder VALUES
    ('f1000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001', 'Inner',
        'f1000000-0000-4000-8000-000000000002'),
    ('f1000000-0000-4000-8000-000000000002', '50000000-0000-4000-8000-000000000001', 'Outer', NULL);
INSERT INTO templates VALUES ('e0000000-0000-4000-8000-000000000001', 'River', 'broadcast',
    '2020-01-01', '2020-01-02', 'The river rises', FALSE, NULL, '{}',
    '50000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 2),
    ('e0000000-0000-4000-8000-000000000002', 'Welcome', 'email', '2020-01-01', NULL, 'Hello', FALSE,
    NULL, '{}', '50000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 1);
INSERT INTO templates_history SELECT * FROM templates;
INSERT INTO templates_history VALUES ('e0000000-0000-4000-8000-000000000001', 'River', 'broadcast',
    '2020-01-01', NULL, 'Rising river', FALSE, NULL, NULL, '50000000-0000-4000-8000-000000000001',
    'a0000000-0000-4000-8000-000000000001', 1);
INSERT INTO template_folder_map VALUES
    ('e0000000-0000-4000-8000-000000000001', 'f1000000-0000-4000-8000-000000000001');
INSERT INTO api_keys (id, name, secret, service_id, key_type, created_at, created_by_id) VALUES
    ('c0000000-0000-4000-8000-000000000001', 'river gauge',
        'ImY1YjFlMGE4LTExMTEtNGMzYy05ZDNhLTBjMWYzYTdkMmIxMCI.XDOURUhU71z4cEPxY_6U5UvPB8M',
        '50000000-0000-4000-8000-000000000001', 'normal', '2020-01-01',
        'a0000000-0000-4000-8000-000000000001');
INSERT INTO feature_toggles VALUES ('banner', TRUE, '<b>hello</b>');
-- Alerts that are over, of each generation of areas (R33), and one that waits.
INSERT INTO broadcast_message (id, service_id, template_id, template_version, content, areas, status,
    starts_at, finishes_at, created_at, approved_at, created_by_id, approved_by_id,
    created_by_api_key_id, reference, stubbed) VALUES
    ('b0000000-0000-4000-8000-00000000000a', '50000000-0000-4000-8000-000000000001', NULL, NULL,
        'No area yet', '[]', 'draft', NULL, NULL, '2021-01-01', NULL,
        'a0000000-0000-4000-8000-000000000001', NULL, NULL, 'a', NULL),
    ('b0000000-0000-4000-8000-00000000000b', '50000000-0000-4000-8000-000000000001',
        'e0000000-0000-4000-8000-000000000001', 1, NULL,
        '{"areas": ["wd23-E05009289"], "simple_polygons": [[[53.1, 0.1], [53.2, 0.1], [53.2, 0.2], [53.1, 0.1]]]}',
        'completed', '2021-01-01 10:00', '2021-01-01 12:00', '2021-01-01', '2021-01-01 10:00',
        'a0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000002', NULL, NULL,
        FALSE),
    ('b0000000-0000-4000-8000-00000000000c', '50000000-0000-4000-8000-000000000001', NULL, NULL,
        'Both lists', '{"areas": ["x"], "ids": ["x"], "simple_polygons": [[[53.1, 0.1], [53.2, 0.1], [53.2, 0.244127], [53.1, 0.1]]]}',
        'pending-approval', NULL, NULL, '2021-01-01', NULL, 'a0000000-0000-4000-8000-000000000001',
        NULL, NULL, 'c', FALSE),
    ('b0000000-0000-4000-8000-00000000000d', '50000000-0000-4000-8000-000000000001', NULL, NULL,
        'By a document', '{"areas": ["River Steeping"], "simple_polygons": [[[53.1, 0.1], [53.2, 0.1], [53.2, 0.2], [53.1, 0.1]]]}',
        'broadcasting', '2021-01-01 10:00', '2021-01-01 12:00', '2021-01-01', '2021-01-01 10:00',
        NULL, 'a0000000-0000-4000-8000-000000000002', 'c0000000-0000-4000-8000-000000000001', 'd',
        FALSE),
    ('b0000000-0000-4000-8000-00000000000e', '50000000-0000-4000-8000-000000000001', NULL, NULL,
        'Final', '{"ids": ["w"], "names": ["W"], "aggregate_names": ["X"], "simple_polygons": [[[53.1, 0.1], [53.2, 0.1], [53.2, 0.2], [53.1, 0.1]]]}',
        'rejected', NULL, NULL, '2021-01-01', NULL, 'a0000000-0000-4000-8000-000000000001', NULL,
        NULL, 'e', TRUE);
INSERT INTO broadcast_message_history VALUES
    ('b0000000-0000-4000-8000-00000000000c', 'c', '2021-01-01', 'Draft of both',
        '50000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 1, '{}',
        '04:00:00', NULL);
INSERT INTO broadcast_message_edit_reasons VALUES ('ed000000-0000-4000-8000-000000000001',
    'b0000000-0000-4000-8000-00000000000c', '2021-01-01', '2021-01-01',
    '50000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000002',
    'a0000000-0000-4000-8000-000000000001', 'Say where');
INSERT INTO broadcast_event VALUES ('d0000000-0000-4000-8000-00000000000d',
    '50000000-0000-4000-8000-000000000001', 'b0000000-0000-4000-8000-00000000000d',
    '2021-01-01 10:00:00.123456', 'alert', '{"body": "By a document"}',
    '{"areas": ["River Steeping"], "simple_polygons": [[[53.1, 0.1], [53.2, 0.1], [53.2, 0.2], [53.1, 0.1]]]}',
    'notifications.service.gov.uk', NULL, '2021-01-01 12:00');
INSERT INTO broadcast_provider_message VALUES
    ('f0000000-0000-4000-8000-0000000000d1', 'd0000000-0000-4000-8000-00000000000d', 'ee',
        'returned-ack', '2021-01-01 10:00:01', '2021-01-01 10:00:02'),
    ('f0000000-0000-4000-8000-0000000000d2', 'd0000000-0000-4000-8000-00000000000d', 'o2', 'sending',
        '2021-01-01 10:00:01', NULL);
