//! What the GraphQL endpoint refuses before a resolver runs: one catalogue, as everywhere.

daira_core::refusals! {
    /// Why a GraphQL request was not executed, or not to its end.
    pub enum GraphqlRefusal {
        /// There is no document in the request.
        NoDocument = "graphql.no_document", Invalid, "The request holds no GraphQL document.", "الطلب مفيهوش استعلام GraphQL.";
        /// The document is not GraphQL.
        Syntax = "graphql.syntax", Invalid, "The document has a syntax error.", "الاستعلام فيه غلطة في الكتابة.";
        /// The document or its variables do not fit the schema.
        Invalid = "graphql.invalid", Invalid, "The document does not fit the schema.", "الاستعلام مش راكب على المخطط.";
        /// The operation's name is missing or unknown.
        Operation = "graphql.operation", Invalid, "Name one of the document's operations.", "سمّي عملية من اللي في الاستعلام.";
        /// Operations of this type are not served here.
        Subscription = "graphql.subscription", Invalid, "Subscriptions are not served over this transport.", "الاشتراكات مش متاحة من هنا.";
        /// A mutation came by a method that must not change anything.
        MutationOverGet = "graphql.mutation_over_get", Invalid, "Send mutations by POST.", "ابعت التعديلات بـ POST.";
        /// The document has too many characters.
        TooLong = "graphql.too_long", Invalid, "The document is too long.", "الاستعلام طويل زيادة.";
        /// The document has too many tokens.
        TooManyTokens = "graphql.too_many_tokens", Invalid, "The document has too many parts.", "الاستعلام فيه أجزاء كتير زيادة.";
        /// The document has too many aliases.
        TooManyAliases = "graphql.too_many_aliases", Invalid, "The document has too many aliases.", "الاستعلام فيه أسماء بديلة كتير زيادة.";
        /// The document has too many directives.
        TooManyDirectives = "graphql.too_many_directives", Invalid, "The document has too many directives.", "الاستعلام فيه توجيهات كتير زيادة.";
        /// The document is nested too deeply.
        TooDeep = "graphql.too_deep", Invalid, "The document is nested too deeply.", "الاستعلام متداخل زيادة.";
        /// The document asks for too much at once.
        TooComplex = "graphql.too_complex", Invalid, "The document asks for too much at once; ask for fewer fields or smaller pages.", "الاستعلام بيطلب كتير مرة واحدة؛ اطلب حقول أقل أو صفحات أصغر.";
        /// A fragment contains itself.
        FragmentCycle = "graphql.fragment_cycle", Invalid, "A fragment contains itself.", "فيه جزء بيحتوي على نفسه.";
        /// A use case that guesses could be tried with appears more than once.
        Repeated = "graphql.repeated", Invalid, "This may be asked only once in a request.", "ده يتطلب مرة واحدة بس في الطلب.";
        /// The schema is not shown to strangers.
        IntrospectionOff = "graphql.introspection_off", Forbidden, "Introspection is off for anonymous requests; log in, or read the published schema.", "استعراض المخطط مقفول للزوار؛ سجّل دخولك أو اقرا المخطط المنشور.";
        /// Too many operations at once on one connection.
        TooManyOperations = "graphql.too_many_operations", TooMany, "Too many operations run on this connection.", "فيه عمليات كتير شغالة على الاتصال ده.";
        /// A subscription asks for more than one thing.
        OneField = "graphql.one_field", Invalid, "A subscription asks for exactly one field.", "الاشتراك بيكون في حاجة واحدة بس.";
        /// Arrays of operations are not taken.
        BatchOff = "graphql.batch_off", Invalid, "Send one operation per request.", "ابعت عملية واحدة في كل طلب.";
        /// An array holds no or too many operations.
        BatchSize = "graphql.batch_size", Invalid, "The array holds no or too many operations.", "القائمة فاضية أو فيها عمليات كتير زيادة.";
        /// A string among the variables is too long for any field.
        VariableTooLong = "graphql.variable_too_long", Invalid, "One of the variables is too long.", "فيه متغيّر طويل زيادة.";
        /// No document with this hash is known; send it whole once.
        PersistedUnknown = "PERSISTED_QUERY_NOT_FOUND", Invalid, "PersistedQueryNotFound", "PersistedQueryNotFound";
        /// The hash is not the document's.
        PersistedMismatch = "graphql.persisted_mismatch", Invalid, "The hash is not that of the document.", "البصمة مش بتاعة الاستعلام ده.";
        /// Only documents known beforehand are taken.
        PersistedOnly = "graphql.persisted_only", Forbidden, "Only registered documents are taken here.", "الاستعلامات المسجلة بس هي المقبولة هنا.";
        /// The operation ran too long and was cancelled.
        TimedOut = "graphql.timed_out", Unavailable, "This took too long and was stopped.", "الطلب أخد وقت طويل فاتوقف.";
    }
}
