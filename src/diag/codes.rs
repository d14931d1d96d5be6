//! The registry of diagnostic codes: one line each, in the order of their numbers.
//!
//! `C1` project and configuration, `C2` nodes and the graph, `C3` templates, `C4` SQL, `C5` files and the warehouse,
//! `C6` destinations, `C7` tests, `C9` bugs of ours. A number is never used again for something else.

/// Whose failure it is. It decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// The project, its configuration or the command line is wrong: exit code 2.
    User,
    /// A node, a test, a file or a server failed: exit code 1.
    World,
    /// A bug of c360: exit code 1 and a request for a report.
    Bug,
}

/// An entry of the registry.
#[derive(Clone, Copy)]
pub struct Code {
    /// `C` and four digits.
    pub id: &'static str,
    /// Whose failure it is.
    pub shelf: Shelf,
    /// What `c360 explain` prints.
    pub explanation: &'static str,
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        self.id == other.id
    }
}

impl Eq for Code {}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

macro_rules! codes {
    ($($name:ident $id:literal $shelf:ident $explanation:literal;)*) => {
        $(#[doc = $explanation] pub const $name: Code = Code { id: $id, shelf: Shelf::$shelf, explanation: $explanation };)*

        /// Every code, in the order of their numbers.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    NO_PROJECT "C1001" User "There is no dbt_project.yml in the project folder. Go to a project, pass --project-dir, or make one with `c360 init`.";
    YAML_SYNTAX "C1002" User "A YAML file cannot be read. The place is where the reader gave up; the mistake is often on the line before it.";
    UNKNOWN_KEY "C1003" User "A key that c360 does not know. It is ignored, so what it was meant to do does not happen.";
    BAD_VALUE "C1004" User "A key has a value of the wrong kind, or one that is not allowed there.";
    NO_PROFILE "C1005" User "The profile that the project names is in none of the profiles.yml files that were looked at.";
    NO_TARGET "C1006" User "The profile has no output with the name of the target.";
    ENV_VAR_MISSING "C1007" User "A template asks for an environment variable that is not set and gives no default.";
    VAR_MISSING "C1008" User "A template asks for a var that is set neither in dbt_project.yml nor with --vars, and gives no default.";
    FILE_UNREADABLE "C1009" User "A file of the project cannot be read: rights, encoding (UTF-8 is expected), or it vanished.";
    BAD_ARGUMENT "C1010" User "The command line asks for something that cannot be.";
    DUPLICATE_KEY "C1011" User "A YAML mapping has the same key twice; the last one would win silently.";
    UNUSED_CONFIG "C1012" User "A path of folders in dbt_project.yml matches no resource, so what it configures applies to nothing.";
    PACKAGE_MISSING "C1013" User "A package named in packages.yml is not in the folder of installed packages.";
    NOTHING_SELECTED "C1014" User "The selection matches no node.";
    PACKAGE_CONFLICT "C1015" User "A package is asked for twice, and no version satisfies both.";
    PACKAGE_UNREACHABLE "C1016" World "A package cannot be fetched: its folder, repository, archive or hub entry is not there or does not answer.";
    PACKAGE_CHANGED "C1017" World "A fetched package is not what the lock file says: its content has another checksum.";

    REF_NOT_FOUND "C2001" User "A model, seed or snapshot that is referenced does not exist.";
    REF_DISABLED "C2002" User "A node that is referenced exists but is disabled.";
    SOURCE_NOT_FOUND "C2003" User "A source that is referenced is declared in no properties file.";
    CYCLE "C2004" User "Nodes depend on each other in a circle, so none of them can be built first.";
    DUPLICATE_NODE "C2005" User "Two resources have the same name, so a reference to it would be ambiguous.";
    PATCH_WITHOUT_NODE "C2006" User "A properties file describes a resource that does not exist.";
    DUPLICATE_PATCH "C2007" User "Two properties files describe the same resource.";
    AMBIGUOUS_RELATION "C2008" User "Two nodes would be stored as the same relation.";
    BAD_SELECTOR "C2009" User "A selection cannot be read.";
    TEST_OF_NOTHING "C2010" User "A data test names a test macro that does not exist, or misses one of its arguments.";
    BAD_CONFIG "C2011" User "A configuration has a value that its node cannot have.";
    ACCESS_DENIED "C2012" User "A reference crosses the border of a group or package to a node that is private or protected.";
    UNKNOWN_MATERIALIZATION "C2013" User "A model asks for a materialization that does not exist.";
    DEPRECATED "C2014" User "A model has a date on which it goes away, and that is past, or something refers to it.";

    JINJA_SYNTAX "C3001" User "A template cannot be read.";
    JINJA_RUNTIME "C3002" User "An expression of a template failed.";
    JINJA_UNDEFINED "C3003" User "A template uses a name that is not defined.";
    JINJA_RAISED "C3004" User "A template called exceptions.raise_compiler_error.";
    JINJA_LIMIT "C3005" User "A template ran longer, recursed deeper or wrote more than a template may.";
    MACRO_NOT_FOUND "C3006" User "A macro that is called does not exist.";
    JINJA_WARNED "C3007" User "A template called exceptions.warn.";

    SQL_SYNTAX "C4001" User "SQL cannot be read.";
    SQL_PLAN "C4002" User "SQL can be read but not planned: a column, a function or a type does not fit.";
    SQL_EXECUTION "C4003" World "A query failed while it ran.";
    COLUMN_NOT_FOUND "C4004" User "A column is not there under that name.";
    FUNCTION_NOT_FOUND "C4005" User "A function is not there under that name.";
    TABLE_NOT_FOUND "C4006" User "A relation is not there under that name.";
    ARITHMETIC_OVERFLOW "C4007" World "The result of a calculation does not fit into its type.";

    CARTESIAN_JOIN "C4101" User "A join pairs every row of one side with every row of the other, and nobody asked for that.";
    LOSSY_CAST "C4102" User "Values are converted to a type that cannot hold all of them, and nobody asked for that.";
    UNLIKE_COMPARISON "C4103" User "Values of types that have nothing in common are compared, such as a text with a number.";
    UNUSED_CTE "C4104" User "A common table expression is defined and never read.";
    UNUSED_COLUMN "C4105" User "A common table expression or a subquery computes a column that nobody reads.";
    NON_DETERMINISTIC "C4106" User "An incremental model calls a function that gives another value each time, so its rows depend on when they were built.";
    STAR_IN_CONTRACT "C4107" User "A model with a contract selects all columns of another relation, so its contract breaks when that relation changes.";
    NULLABLE_JOIN_KEY "C4108" User "An inner join takes a key from the side of an outer join that may be missing, so rows that the outer join kept are lost.";
    EXPOSURE_COLUMN "C4110" User "A column that an exposure needs is gone.";
    TAG_FORBIDDEN "C4120" User "A column carries a tag that the project forbids where the column is.";

    SOURCE_FILES_MISSING "C5001" World "A source's location matches no file.";
    BAD_RECORD "C5002" World "A file of a source has a record that cannot be read as its columns say.";
    TOO_MANY_BAD_RECORDS "C5003" World "More records of a source are bad than max_bad_records allows.";
    SCHEMA_MISMATCH "C5004" World "Files of one source disagree about a column.";
    BAD_SOURCE "C5005" User "The declaration of a source cannot be right.";
    STORE_ERROR "C5006" World "A file or an object store cannot be read or written.";
    WAREHOUSE_ERROR "C5007" World "A table of the warehouse cannot be read or written.";
    MEMORY_LIMIT "C5008" World "An operator needs more memory than the profile's memory_limit allows and cannot spill.";
    PATH_COLUMN_MISMATCH "C5009" World "The name of a source's file does not spell what its path_columns expect.";
    RELATION_NOT_BUILT "C5010" World "A relation is read that was never built.";
    SCHEMA_CHANGED "C5011" World "The columns of an incremental model changed and on_schema_change does not allow that.";
    DUPLICATE_MERGE_KEY "C5012" World "Two new rows have the same unique_key, so it is not clear which one to keep.";
    WRITE_CONFLICT "C5013" World "Somebody else wrote a table of the warehouse at the same time, again and again.";
    VERSION_GONE "C5014" User "A version of a table that is asked for is not there: it never was, or its files were deleted.";

    SOURCE_DATABASE "C5020" World "A database that a source reads from cannot be reached, or does not give what is asked.";

    CLUSTER_UNREACHABLE "C5030" World "The scheduler of the profile's cluster cannot be reached.";
    CLUSTER_EMPTY "C5031" World "The profile's cluster has no executor that could run anything.";
    CLUSTER_FAILED "C5032" World "A cluster could not run a query, or a process of it cannot go on.";

    DESTINATION_UNKNOWN "C6001" User "A publish configuration names a destination that the profile's target does not have.";
    DESTINATION_UNREACHABLE "C6002" World "A destination cannot be reached, or refuses the login.";
    PUBLISH_FAILED "C6003" World "Rows could not be loaded into a destination; its tables are as they were.";
    PUBLISH_TYPE "C6004" World "A value or a type cannot be held by a destination.";
    PUBLISH_MISMATCH "C6005" World "What arrived at a destination is not what was sent; nothing was swapped.";
    PUBLISH_CONFIG "C6006" User "A publish configuration cannot be right.";
    PUBLISH_SCHEMA "C6007" World "The columns of a model changed since its table was published, and on_schema_change of its publish does not allow that.";

    TEST_FAILED "C7001" World "A data test found rows that it should not find.";
    TEST_WARNED "C7002" World "A data test found rows, and its severity is warn.";

    CONTRACT_BROKEN "C7003" World "The query of a model does not give what the model's contract promises.";
    UNIT_TEST_FAILED "C7004" World "A model gave other rows than a unit test expects.";

    INTERRUPTED "C8001" World "The run was interrupted; what had not started did not run.";

    INTERNAL "C9001" Bug "Something happened that c360 thought impossible. Please report it.";
}

/// The entry with this id, in any case.
pub fn find(id: &str) -> Option<Code> {
    ALL.iter().find(|code| code.id.eq_ignore_ascii_case(id)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted() {
        for pair in ALL.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} before {}", pair[0].id, pair[1].id);
        }
    }
}
