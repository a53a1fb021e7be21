//! Word lists by language. The English lists are the most complete.

use std::collections::HashMap;

/// A set of word classes. A word can belong to several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits(u16);

impl Traits {
    /// Function words without content: the, of, with.
    pub(super) const STOP_WORD: Traits = Traits(1);
    /// Fillers without meaning: um, well, you know.
    pub(super) const FILLER: Traits = Traits(2);
    /// Connectives that link a sentence to the previous one: and, but, because.
    pub(super) const CONNECTIVE: Traits = Traits(4);
    /// Anaphors that refer to something mentioned before: he, it, that's.
    pub(super) const ANAPHOR: Traits = Traits(8);
    /// Words that attract attention: never, secret, mistake.
    pub(super) const HOOK: Traits = Traits(16);
    /// Emotional words: love, afraid, incredible.
    pub(super) const EMOTION: Traits = Traits(32);
    /// Words that open a question: why, how, what.
    pub(super) const QUESTION: Traits = Traits(64);
    /// Words that address the listener: you, your.
    pub(super) const SECOND_PERSON: Traits = Traits(128);
    /// Words that refer to the speaker: I, my.
    pub(super) const FIRST_PERSON: Traits = Traits(256);
    /// Housekeeping of a show: subscribe, sponsor, episode.
    pub(super) const HOUSEKEEPING: Traits = Traits(512);
    /// Answers to a previous question: yeah, exactly.
    pub(super) const ANSWER: Traits = Traits(1024);
    /// Words that start with a digit.
    pub(super) const NUMBER: Traits = Traits(2048);
    /// Words with a capital letter inside a sentence.
    pub(super) const NAME: Traits = Traits(4096);
    /// Words that mention a requested topic.
    pub(super) const TOPIC: Traits = Traits(8192);
    /// Words that mention a topic to avoid.
    pub(super) const AVOID: Traits = Traits(16384);

    pub(super) fn has(self, other: Traits) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub(super) fn with(self, other: Traits) -> Traits {
        Traits(self.0 | other.0)
    }
}

type List = (Traits, &'static str);

const ENGLISH: &[List] = &[
    (
        Traits::STOP_WORD,
        "the a an of to in on at for with by from as into about over under through between out up down off is are was were be been being am \
         do does did done have has had having will would can could should may might must shall not don't doesn't didn't isn't aren't wasn't \
         i'm i've i'd i'll you're you've you'll we're we've we'll they're there's here's it'll let's that there here then than too very just \
         really some any all more most much many other such own same only both each few if when while where who whom whose what which how why \
         get got go going gone come came make made take took know think say said says want see look thing things something anything way lot kind \
         sort bit now back even still well also one two because until again like gonna wanna got us our ours we i me my mine myself you your yours \
         yourself he him his she her hers it its they them their theirs this these those and or but so nor yet no yes yeah okay ok right actually basically",
    ),
    (Traits::FILLER, "um uh uhm erm hmm mm ah oh well like basically literally anyway anyways yeah okay ok alright mean sort kinda"),
    (
        Traits::CONNECTIVE,
        "and but or because cause which so that's then also therefore thus hence plus though although however whereas nor otherwise instead besides until unless than as",
    ),
    (
        Traits::ANAPHOR,
        "he she it they him her them his its their he's she's it's they're he'd she'd they'd it'd he'll she'll they'll it'll that that's this \
         these those that'll such neither both another others",
    ),
    (
        Traits::HOOK,
        "never nobody everyone everybody nothing secret mistake mistakes wrong truth lie lies lying myth biggest worst best greatest most hardest \
         simplest only first why imagine surprising surprised surprisingly unexpected shocking problem problems impossible dangerous danger risk \
         changed change changes discovered discovery realized realize learned lesson lessons rule rules reason reasons key important crucial \
         question paradox puzzle mystery magic magical trick hidden fundamental beautiful crazy weird strange wild insane fail failed failure \
         success win lose lost money million billion rich free power powerful future world life death die kill war fight stop start always \
         forever ever nobody's must need huge massive tiny extraordinary revolutionary revolution breakthrough actually difference story advice \
         believe favorite interesting fascinating remarkable powerful hard difficult easy simple matter matters exactly completely totally",
    ),
    (
        Traits::EMOTION,
        "love loved loves hate hated fear afraid scared scary terrified terrifying happy happiness joy sad sadness angry anger rage cry crying \
         cried laugh laughed laughing fun funny hilarious amazing amazed awesome incredible unbelievable wonderful beautiful gorgeous brilliant \
         terrible horrible awful disgusting painful pain hurt suffer suffering hope hopeful hopeless dream dreams proud pride shame \
         ashamed guilty guilt embarrassed embarrassing lonely excited exciting thrilled passion passionate obsessed crazy insane mad wild \
         shocked shocking surprised stunning breathtaking heart heartbreaking tears death die died dying dead war tragedy tragic \
         miracle magical delightful delight grateful thankful regret worry worried worrying anxious anxiety panic desperate brutal cruel evil \
         devastating disaster nightmare catastrophe enjoy enjoyed inspiring inspired awe wow damn hell fantastic spectacular marvelous \
         favorite weird strange exciting fascinating frustrating frustrated annoying annoyed betrayed",
    ),
    (
        Traits::QUESTION,
        "why how what who when where which whose is are was were do does did can could would should will have has isn't aren't don't doesn't didn't won't wouldn't",
    ),
    (Traits::SECOND_PERSON, "you your you're you've you'll you'd yours yourself"),
    (Traits::FIRST_PERSON, "i i'm i've i'd i'll my me mine myself"),
    (
        Traits::HOUSEKEEPING,
        "subscribe subscribed sponsor sponsors sponsored podcast podcasts episode episodes welcome itunes patreon newsletter merch merchandise \
         promo giveaway channel thanks goodbye bye conversation twitter instagram homework poll slide slides livestream website loading screen audio microphone",
    ),
    (
        Traits::ANSWER,
        "yeah yes yep yup no nope exactly right sure absolutely correct agreed indeed totally definitely okay ok true oh hmm mm",
    ),
];

const SPANISH: &[List] = &[
    (
        Traits::STOP_WORD,
        "el la los las un una unos unas de del a al en con por para sin sobre entre que se su sus lo le les me te nos mi tu es son era fue ser \
         está están estaba hay ha han he muy más menos ya también como si no sí cuando donde quien este esta esto ese esa eso y o pero porque \
         todo todos todas nada algo uno dos hacer tiene tienen tengo",
    ),
    (Traits::FILLER, "eh em este pues bueno o sea digamos entonces"),
    (Traits::CONNECTIVE, "y pero o porque entonces así aunque sino además pues que"),
    (Traits::ANAPHOR, "él ella ellos ellas eso esto ese esa esos esas este esta lo la le les su"),
    (
        Traits::HOOK,
        "nunca nadie nada secreto error errores verdad mentira mejor peor único imposible peligro imagina problema importante increíble siempre dinero vida muerte",
    ),
    (
        Traits::EMOTION,
        "amor amo odio miedo feliz felicidad triste tristeza rabia llorar reír increíble hermoso terrible horrible dolor sufrir esperanza sueño orgullo vergüenza muerte guerra emocionante maravilloso",
    ),
    (Traits::QUESTION, "qué por cómo cuándo dónde quién cuál cuánto"),
    (Traits::SECOND_PERSON, "tú usted ustedes te tu tus ti"),
    (Traits::FIRST_PERSON, "yo me mi mis"),
    (Traits::ANSWER, "sí no claro exacto bueno vale"),
];

const FRENCH: &[List] = &[
    (
        Traits::STOP_WORD,
        "le la les un une des de du d'un d'une à au aux en dans avec par pour sans sur entre que qui se son sa ses ce cette ces il elle on nous \
         vous ils elles je tu me te lui leur est sont était être a ont avait avoir fait faire très plus moins aussi comme si ne pas c'est y et ou \
         mais donc tout tous toutes rien",
    ),
    (Traits::FILLER, "euh ben bah bon alors quoi voilà enfin donc"),
    (Traits::CONNECTIVE, "et mais ou parce donc alors car puis aussi ainsi puisque"),
    (Traits::ANAPHOR, "il elle ils elles ça cela celui celle ceux c'est c'était ce lui leur"),
    (
        Traits::HOOK,
        "jamais personne rien secret erreur erreurs vérité mensonge meilleur pire seul impossible danger imaginez problème important incroyable toujours argent vie mort pourquoi",
    ),
    (
        Traits::EMOTION,
        "amour aime déteste peur heureux bonheur triste tristesse colère pleurer rire incroyable beau terrible horrible douleur souffrir espoir rêve fier honte mort guerre magnifique merveilleux",
    ),
    (Traits::QUESTION, "pourquoi comment quand où qui quel quelle quels est-ce que qu'est-ce"),
    (Traits::SECOND_PERSON, "vous tu toi ton ta tes votre vos"),
    (Traits::FIRST_PERSON, "je j'ai moi mon ma mes"),
    (Traits::ANSWER, "oui non ouais exactement voilà d'accord"),
];

const GERMAN: &[List] = &[
    (
        Traits::STOP_WORD,
        "der die das den dem des ein eine einen einem einer eines und oder aber in im an am auf aus bei mit nach von vom zu zum zur für über unter \
         ist sind war waren sein bin hat haben hatte wird werden wurde kann können muss müssen soll will nicht auch nur noch schon sehr mehr so \
         wie wenn als dass ob man ich du er sie es wir ihr mich dich sich uns was wer wo da hier dann doch ja nein",
    ),
    (Traits::FILLER, "äh ähm also naja halt quasi sozusagen genau irgendwie"),
    (Traits::CONNECTIVE, "und aber oder denn weil sondern deshalb deswegen darum dann also außerdem trotzdem"),
    (Traits::ANAPHOR, "er sie es dies dieser diese dieses das ihm ihn ihnen deren dessen davon dafür damit"),
    (
        Traits::HOOK,
        "nie niemals niemand nichts geheimnis fehler wahrheit lüge beste schlimmste einzige unmöglich gefahr problem wichtig unglaublich immer geld leben tod warum stell",
    ),
    (
        Traits::EMOTION,
        "liebe liebt hass angst glücklich glück traurig wut weinen lachen unglaublich schön schrecklich schlimm schmerz leiden hoffnung traum stolz scham tod krieg wunderbar großartig",
    ),
    (Traits::QUESTION, "warum wie was wer wann wo welche welcher welches wieso weshalb"),
    (Traits::SECOND_PERSON, "du dich dir dein deine sie ihnen ihr euch"),
    (Traits::FIRST_PERSON, "ich mich mir mein meine"),
    (Traits::ANSWER, "ja nein genau richtig klar stimmt okay"),
];

const PORTUGUESE: &[List] = &[
    (
        Traits::STOP_WORD,
        "o a os as um uma uns umas de do da dos das em no na nos nas por para com sem sobre entre que se seu sua seus suas ao à aos às e ou \
         mas é são era foi ser está estão estava há tem têm tinha ter fazer faz mais menos muito muita já também como quando onde quem este esta \
         isto esse essa isso aquele aquela aquilo eu me meu minha nós ele ela eles elas você vocês te lhe não sim todo toda todos todas tudo algo \
         vai vou pode ia num numa pelo pela só até",
    ),
    (Traits::FILLER, "é hum ah eh né tipo então pois bem enfim assim bom"),
    (Traits::CONNECTIVE, "e ou mas porque então pois portanto também aliás porém além que ainda senão"),
    (Traits::ANAPHOR, "ele ela eles elas isso isto aquilo esse essa esses essas este esta dele dela lhe disso disto"),
    (
        Traits::HOOK,
        "nunca ninguém nada segredo erro erros verdade mentira melhor pior único única impossível perigo imagine problema importante \
         incrível sempre dinheiro vida morte maior",
    ),
    (
        Traits::EMOTION,
        "amor amo odeio ódio medo feliz felicidade triste tristeza raiva chorar rir incrível lindo terrível horrível dor sofrer esperança \
         sonho orgulho vergonha morte guerra emocionante maravilhoso saudade chorei chorando",
    ),
    (Traits::QUESTION, "por como quando onde quem qual quais quanto quantos o"),
    (Traits::SECOND_PERSON, "você vocês te ti teu tua seu sua"),
    (Traits::FIRST_PERSON, "eu me mim meu minha meus minhas"),
    (Traits::ANSWER, "sim não claro exato exatamente verdade pois"),
    (Traits::HOUSEKEEPING, "inscreva inscrever canal patrocinador episódio podcast newsletter"),
];

const ITALIAN: &[List] = &[
    (
        Traits::STOP_WORD,
        "il lo la i gli le un uno una di del dello della dei degli delle a al allo alla ai agli alle da dal dalla in nel nello nella nei negli \
         nelle con su sul sulla per tra fra che e ed o ma se è sono era erano essere stato ha hanno ho aveva avere fare fa fatto più meno molto \
         già anche come quando dove chi questo questa questi queste quello quella quelli quelle io mi mio mia noi lui lei loro tu ti te voi vi \
         ci si ne non sì tutto tutta tutti tutte qualcosa può sua suo c'è cosa",
    ),
    (Traits::FILLER, "ehm eh mh allora cioè insomma diciamo tipo beh boh praticamente dunque"),
    (Traits::CONNECTIVE, "e ed o ma perché quindi allora così però inoltre anche oppure poiché anzi poi che dunque"),
    (Traits::ANAPHOR, "lui lei loro questo questa questi queste quello quella quelli quelle ciò esso essa essi gli lo ne"),
    (
        Traits::HOOK,
        "mai nessuno niente nulla segreto errore errori verità bugia migliore peggiore unico unica impossibile pericolo immagina immaginate \
         problema importante incredibile sempre soldi vita morte perché",
    ),
    (
        Traits::EMOTION,
        "amore amo odio paura felice felicità triste tristezza rabbia piangere ridere incredibile bello bellissimo terribile orribile dolore \
         soffrire speranza sogno orgoglio vergogna morte guerra emozionante meraviglioso pianto",
    ),
    (Traits::QUESTION, "perché come quando dove chi cosa che quale quali quanto quanti"),
    (Traits::SECOND_PERSON, "tu ti te tuo tua voi vi vostro vostra"),
    (Traits::FIRST_PERSON, "io mi me mio mia miei mie"),
    (Traits::ANSWER, "sì no certo esatto esattamente giusto appunto"),
    (Traits::HOUSEKEEPING, "iscrivetevi iscriviti canale sponsor puntata episodio podcast newsletter"),
];

/// The languages with word lists, by language code.
const KNOWN: [(&str, &[List]); 6] = [("en", ENGLISH), ("es", SPANISH), ("fr", FRENCH), ("de", GERMAN), ("pt", PORTUGUESE), ("it", ITALIAN)];

/// The word lists of one language.
pub(super) struct Lexicon {
    /// The language code (`en`), given or detected; empty if unknown.
    pub(super) language: String,
    words: HashMap<&'static str, Traits>,
    /// Whether word lists exist for the language.
    pub(super) has_lists: bool,
}

impl Lexicon {
    /// The lists of the given language. Without one, the language whose stop words make up more
    /// than a quarter of the transcript; without such a language, empty lists.
    pub(super) fn of(language: Option<&str>, keys: &[String]) -> Self {
        let primary = language.map(|tag| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase());
        match primary {
            Some(code) => {
                let lists = KNOWN.iter().find(|(known, _)| *known == code).map_or(&[][..], |(_, lists)| lists);
                Lexicon { language: code, ..Lexicon::from(lists) }
            }
            None => Lexicon::guess(keys),
        }
    }

    fn guess(keys: &[String]) -> Self {
        let sample = &keys[..keys.len().min(3000)];
        KNOWN
            .into_iter()
            .map(|(code, lists)| {
                let lexicon = Lexicon { language: code.to_owned(), ..Lexicon::from(lists) };
                let known = sample.iter().filter(|key| lexicon.traits(key).has(Traits::STOP_WORD)).count();
                (known, lexicon)
            })
            .max_by_key(|(known, _)| *known)
            .filter(|(known, _)| known * 4 > sample.len())
            .map_or_else(|| Lexicon::from(&[]), |(_, lexicon)| lexicon)
    }

    fn from(lists: &[List]) -> Self {
        let mut words: HashMap<&'static str, Traits> = HashMap::new();
        for (traits, list) in lists {
            for word in list.split_whitespace() {
                let known = words.entry(word).or_default();
                *known = known.with(*traits);
            }
        }
        Lexicon { language: String::new(), has_lists: !words.is_empty(), words }
    }

    pub(super) fn traits(&self, key: &str) -> Traits {
        self.words.get(key).copied().unwrap_or_default()
    }
}

/// A word in its form for look-ups: lower case, without surrounding punctuation, with a straight
/// apostrophe.
pub(super) fn key(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric())
        .chars()
        .map(|c| if c == '\u{2019}' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}
